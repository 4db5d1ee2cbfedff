-- One that is tried again (1) stays; so does one that is still to be announced.
SELECT d.offset_id, d.id
FROM dead_letter d
WHERE d.status IN (0, 2, 3) AND d.dead_at < %(before)s AND coalesce(d.settled_at, d.dead_at) < %(before)s
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.dead_letter_id = d.id)
LIMIT %(limit)s
