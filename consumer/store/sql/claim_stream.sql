INSERT INTO consumer_offset AS o (
    consumer_group, cluster_id, topic_id, topic, partition, stream, first_offset, next_offset, frontier, owner,
    updated_at
)
VALUES (
    %(group_id)s, %(cluster_id)s, %(topic_id)s, %(topic)s, %(partition)s, %(name)s, %(first_offset)s,
    %(first_offset)s, %(first_offset)s, %(owner)s, now()
)
ON CONFLICT (consumer_group, cluster_id, topic_id, partition) DO UPDATE
SET epoch = o.epoch + 1, owner = excluded.owner, topic = excluded.topic, heir_id = NULL,
    updated_at = now()
RETURNING o.id, o.stream, o.epoch, o.next_offset, o.next_seq, o.frontier, o.forced
