-- Open dead letters with their sizes in bytes, in the order in which they first came.
SELECT id, offset_id, coalesce(octet_length(value), 0) AS size
FROM dead_letter
WHERE
    status = %(dead)s
    AND (%(ids)s IS NULL OR id = ANY(%(ids)s::bigint[]))
    AND (%(reason)s IS NULL OR reason = %(reason)s)
    AND (%(event_type)s IS NULL OR event_type = %(event_type)s)
ORDER BY arrived_at, id
