SELECT id, consumer_group, cluster_id, topic_id, topic, partition, stream, first_offset, next_offset, frontier,
       next_seq, heir_id, epoch, owner, applied, duplicate, parked, dead, absent, lost, adopted, pruned
FROM consumer_offset
WHERE consumer_group = %(group)s
ORDER BY topic, partition, id
