-- What is kept of records besides their effects: dead letters, and events that wait.
SELECT k.stream, k.position, d.id AS dead_letter_id, d.status, p.id AS parked_id
FROM unnest(%(streams)s::integer[], %(offsets)s::bigint[]) AS k (stream, position)
LEFT JOIN dead_letter d ON d.offset_id = k.stream AND d."offset" = k.position
LEFT JOIN parked_event p ON p.offset_id = k.stream AND p."offset" = k.position
WHERE d.id IS NOT NULL OR p.id IS NOT NULL
