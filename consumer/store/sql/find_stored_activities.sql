-- By the range of the offsets, which the index knows; then by the very records.
SELECT a.event_id::text
FROM activity a
JOIN unnest(%(streams)s::integer[], %(offsets)s::bigint[]) AS k (stream, position)
    ON a.offset_id = k.stream AND a.offset = k.position
WHERE a.offset BETWEEN %(first)s AND %(last)s
