-- The topic that had this name before it was created anew: who still applies events of it must write no more.
UPDATE consumer_offset f SET epoch = f.epoch + 1, updated_at = now()
FROM consumer_offset o
WHERE o.id = %(id)s AND f.consumer_group = o.consumer_group AND f.cluster_id = o.cluster_id AND f.topic = o.topic
    AND f.partition = o.partition AND f.id <> o.id
