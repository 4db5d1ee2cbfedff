-- Offsets that Kafka no longer has are passed, and counted where they were not passed before.
UPDATE consumer_offset o
SET next_offset = %(next_offset)s, frontier = greatest(o.frontier, %(next_offset)s),
    forced = o.forced AND %(next_offset)s < o.frontier,
    lost = o.lost + greatest(0, %(next_offset)s - o.frontier), updated_at = now()
WHERE o.id = %(id)s AND o.epoch = %(epoch)s
RETURNING o.frontier
