-- A letter is tried again (1) as long as a parked event is it; only what is replayed (2) or discarded (3) is settled.
SELECT d.id AS dead_letter_id, p.id AS parked_event_id, d.status, d.settled_at
FROM dead_letter d
JOIN consumer_offset c ON c.id = d.offset_id AND c.consumer_group = %(group)s
LEFT JOIN parked_event p ON p.dead_letter_id = d.id
WHERE (d.status = 1) <> (p.id IS NOT NULL) OR (d.status IN (2, 3)) <> (d.settled_at IS NOT NULL)
UNION ALL
SELECT d.id, p.id, d.status, d.settled_at
FROM parked_event p
JOIN consumer_offset c ON c.id = p.offset_id AND c.consumer_group = %(group)s
JOIN dead_letter d ON d.offset_id = p.offset_id AND d."offset" = p."offset"
WHERE p.dead_letter_id IS NULL AND NOT p.replayed
ORDER BY 1, 2
