SELECT cluster_id, topic_id, topic, partition, id, stream, epoch, next_offset, next_seq
FROM consumer_offset
WHERE consumer_group = %(group)s
