SELECT owner, epoch, next_offset, next_seq, frontier, forced FROM consumer_offset WHERE id = %(id)s
