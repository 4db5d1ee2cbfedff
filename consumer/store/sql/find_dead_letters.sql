-- Dead letters by id, whatever became of them.
SELECT id, status, settled_at FROM dead_letter WHERE id = ANY(%(ids)s)
