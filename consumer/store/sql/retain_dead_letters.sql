DELETE FROM dead_letter
WHERE id IN (
    SELECT id FROM dead_letter
    WHERE id = ANY(%(ids)s) AND status IN (0, 2, 3) AND coalesce(settled_at, dead_at) < %(before)s
    FOR UPDATE SKIP LOCKED
)
RETURNING status IN (0, 3)
