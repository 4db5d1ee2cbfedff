DELETE FROM processed_event WHERE digest = ANY(%(digests)s::uuid[])
