-- By which record each event id was seen first.
SELECT encode(uuid_send(digest), 'hex'), offset_id, "offset" FROM processed_event WHERE digest = ANY(%(digests)s::uuid[])
