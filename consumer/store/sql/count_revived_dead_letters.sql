-- Dead letters of a range of offsets that were applied since a time.
SELECT count(*) AS letters
FROM dead_letter
WHERE
    offset_id = %(stream)s AND "offset" >= %(start)s AND "offset" < %(end)s
    AND status = %(replayed)s AND settled_at >= %(since)s
