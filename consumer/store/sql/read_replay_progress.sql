SELECT id, next_offset, epoch, owner FROM consumer_offset WHERE id = ANY(%(streams)s)
