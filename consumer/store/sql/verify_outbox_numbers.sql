SELECT n.offset_id, n.seq, coalesce(n.following, c.next_seq) AS following
FROM (SELECT offset_id, seq, lead(seq) OVER (PARTITION BY offset_id ORDER BY seq) AS following FROM outbox) AS n
JOIN consumer_offset c ON c.id = n.offset_id AND c.consumer_group = %(group)s
WHERE coalesce(n.following, c.next_seq) <> n.seq + 1
ORDER BY n.offset_id, n.seq
