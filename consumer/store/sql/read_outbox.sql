-- What is announced again says so; all else of it stays as it was. A dead letter is announced under its record key, but
-- for a key so large that Kafka might not take it: compressed, it may have come in with one of any size.
SELECT o.seq, o.dead_letter_id IS NOT NULL,
       coalesce(convert_to(a.key, 'UTF8'), CASE WHEN octet_length(d.record_key) <= 65536 THEN d.record_key END),
       CASE WHEN o.replayed THEN left(event.cloudevent, -1) || ',"replayed":true}' ELSE event.cloudevent END
FROM outbox o
LEFT JOIN activity a ON a.id = o.activity_id
LEFT JOIN dead_letter d ON d.id = o.dead_letter_id
LEFT JOIN consumer_offset c ON c.id = d.offset_id
JOIN consumer_offset s ON s.id = o.offset_id
CROSS JOIN LATERAL (
    SELECT coalesce(
        a.cloudevent::text,
        json_build_object(
            'specversion', '1.0',
            'id', format('%%s-%%s-%%s-%%s', c.topic_id, d.partition, d.offset, d.id),
            'source', format('/kafka/%%s/%%s/%%s', c.cluster_id, d.topic, d.partition),
            'type', 'dead-letter',
            'time', to_char(d.dead_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'datacontenttype', 'application/json',
            'stream', s.stream,
            'sequence', o.seq::text,
            'data', json_build_object(
                'id', d.id, 'topic', d.topic, 'partition', d.partition, 'offset', d.offset,
                'eventType', d.event_type, 'reason', d.reason, 'errors', d.errors
            )
        )::text
    ) AS cloudevent
) AS event
WHERE o.offset_id = %(stream)s AND o.seq > %(after)s AND o.seq <= %(to)s
ORDER BY o.seq
LIMIT %(limit)s
