SELECT cluster_id, topic_id, topic, partition, id, stream, epoch, next_offset, next_seq, frontier, forced
FROM consumer_offset
WHERE consumer_group = %(group)s
