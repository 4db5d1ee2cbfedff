-- In hexadecimal digits, as a program makes it: what a UUID is made of without its hyphens.
SELECT encode(uuid_send(digest), 'hex') FROM processed_event WHERE digest = ANY(%(digests)s::uuid[])
