-- A replay. It never passes what was not applied yet, and never cuts a forced replay short.
UPDATE consumer_offset o
SET next_offset = m.start, forced = %(forced)s, epoch = o.epoch + 1, updated_at = now()
FROM json_to_recordset(%(moves)s) AS m (id integer, start bigint)
WHERE o.id = m.id AND m.start <= o.frontier AND (NOT o.forced OR (%(forced)s AND m.start <= o.next_offset))
RETURNING o.id, o.frontier
