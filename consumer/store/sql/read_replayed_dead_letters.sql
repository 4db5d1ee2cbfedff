-- What became of dead letters that were tried again. One whose event id was remembered before it was settled was the
-- repetition of an event that took effect.
SELECT d.id, d.status, d.status = %(replayed)s AND coalesce(e.processed_at < d.settled_at, FALSE) AS is_duplicate
FROM unnest(%(ids)s::bigint[], %(digests)s::uuid[]) AS k (id, digest)
JOIN dead_letter d ON d.id = k.id
LEFT JOIN processed_event e ON e.digest = k.digest
WHERE d.status <> %(replaying)s
