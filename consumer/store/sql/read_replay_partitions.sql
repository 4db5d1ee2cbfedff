-- How far the group has come in the partitions of a topic, and how far a replay has.
SELECT id, stream, cluster_id, topic_id, topic, partition, first_offset, next_offset, frontier, forced
FROM consumer_offset
WHERE consumer_group = %(group)s AND topic = %(topic)s
ORDER BY id
