-- Numbers up to here may be gone from the topics: the last before the first activity that must still be there.
UPDATE progress p
SET floor = coalesce(
    (
        SELECT min((a.cloudevent ->> 'sequence')::bigint)
        FROM activity a
        WHERE a.date_added >= %(since)s AND (a.cloudevent ->> 'stream')::uuid = p.stream
    ) - 1,
    p.seq
)
