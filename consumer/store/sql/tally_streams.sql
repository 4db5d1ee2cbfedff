UPDATE consumer_offset o
SET next_seq = o.next_seq + t.announcements, applied = o.applied + t.applied, duplicate = o.duplicate + t.duplicate,
    parked = o.parked + t.parked, dead = o.dead + t.dead, absent = o.absent + t.absent, adopted = o.adopted + t.adopted
FROM json_to_recordset(%(tallies)s) AS t (
    id integer, announcements bigint, applied bigint, duplicate bigint, parked bigint, dead bigint, absent bigint,
    adopted bigint
)
WHERE o.id = t.id
