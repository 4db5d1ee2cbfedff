-- When the first of the events came that wait, and that came after a record of the same key and partition.
SELECT k.stream, k.position, min(p.arrived_at)
FROM unnest(%(keys)s::text[], %(streams)s::integer[], %(offsets)s::bigint[]) AS k (event_key, stream, position)
JOIN parked_event p ON p.event_key = k.event_key AND p.offset_id = k.stream AND p.offset > k.position
GROUP BY k.stream, k.position
