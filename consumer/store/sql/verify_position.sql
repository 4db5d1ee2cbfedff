SELECT id, topic, partition, first_offset, next_offset, frontier, next_seq, forced
FROM consumer_offset
WHERE consumer_group = %(group)s AND (
    next_offset NOT BETWEEN first_offset AND frontier
    OR next_seq < 1
    OR least(applied, duplicate, parked, dead, absent, lost, pruned) < 0
    OR (forced AND next_offset = frontier)
)
ORDER BY id
