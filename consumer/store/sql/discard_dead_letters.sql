UPDATE dead_letter SET status = %(discarded)s, settled_at = now()
WHERE id = ANY(%(ids)s) AND status = %(dead)s
RETURNING id
