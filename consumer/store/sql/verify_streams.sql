SELECT id, consumer_group, cluster_id, topic_id, topic, partition, stream, first_offset, next_offset, frontier,
       next_seq, epoch, owner, applied, duplicate, parked, dead, absent, lost, adopted, pruned
FROM consumer_offset
ORDER BY consumer_group, topic, partition, id
