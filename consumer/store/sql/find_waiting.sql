SELECT p.offset_id, p.offset
FROM parked_event p
JOIN unnest(%(streams)s::integer[], %(offsets)s::bigint[]) AS k (stream, position)
    ON p.offset_id = k.stream AND p.offset = k.position
