DELETE FROM outbox
WHERE offset_id = %(stream)s AND seq IN (
    SELECT seq FROM outbox
    WHERE offset_id = %(stream)s AND seq <= %(seq)s
    ORDER BY seq
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
