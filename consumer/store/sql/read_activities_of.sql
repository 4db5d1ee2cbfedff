-- What records caused, in the order it was announced. By the range of the offsets, which the index knows.
SELECT a.offset_id AS stream, a."offset" AS position, a.event_id, a.type
FROM activity a
JOIN unnest(%(streams)s::integer[], %(offsets)s::bigint[]) AS k (stream, position)
    ON a.offset_id = k.stream AND a."offset" = k.position
WHERE a."offset" BETWEEN %(first)s AND %(last)s
ORDER BY a."offset", (a.cloudevent ->> 'sequence')::bigint
