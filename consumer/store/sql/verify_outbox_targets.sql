SELECT o.offset_id, o.seq, o.activity_id, o.dead_letter_id
FROM outbox o
JOIN consumer_offset c ON c.id = o.offset_id AND c.consumer_group = %(group)s
WHERE num_nonnulls(o.activity_id, o.dead_letter_id) <> 1
ORDER BY o.offset_id, o.seq
