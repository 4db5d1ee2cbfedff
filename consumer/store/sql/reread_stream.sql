SELECT owner, epoch, next_offset, next_seq FROM consumer_offset WHERE id = %(id)s
