-- Waiting events with their sizes in bytes, in the order of their arrival.
SELECT id, offset_id, coalesce(octet_length(value), 0) AS size
FROM parked_event
WHERE
    (%(ids)s IS NULL OR id = ANY(%(ids)s::bigint[]))
    AND (%(key)s IS NULL OR event_key = %(key)s)
    AND (%(topic)s IS NULL OR topic = %(topic)s)
    AND (%(partition)s IS NULL OR partition = %(partition)s)
ORDER BY arrived_at, id
