UPDATE consumer_offset o
SET next_offset = m.next_offset, frontier = greatest(o.frontier, m.next_offset),
    forced = o.forced AND m.next_offset < o.frontier, updated_at = now()
FROM json_to_recordset(%(moves)s) AS m (id integer, epoch bigint, expected bigint, next_offset bigint)
WHERE o.id = m.id AND o.epoch = m.epoch AND o.next_offset = m.expected
RETURNING o.id, o.next_seq
