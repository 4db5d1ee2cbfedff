SELECT id, epoch FROM consumer_offset WHERE id = ANY(%(ids)s)
