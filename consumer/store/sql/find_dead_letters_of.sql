SELECT d.offset_id, d.offset, d.id, d.status
FROM dead_letter d
JOIN unnest(%(streams)s::integer[], %(offsets)s::bigint[]) AS k (stream, position)
    ON d.offset_id = k.stream AND d.offset = k.position
