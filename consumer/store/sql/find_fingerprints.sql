-- By which record each event id was seen first, as its bytes tell; as find_processed.sql has them.
SELECT encode(uuid_send(digest), 'hex'), encode(uuid_send(fingerprint), 'hex')
FROM processed_event
WHERE digest = ANY(%(digests)s::uuid[])
