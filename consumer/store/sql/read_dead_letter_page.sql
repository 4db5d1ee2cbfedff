-- Dead letters, newest first, after the one that the cursor names: from a range of an index for each status.
SELECT
    letter.id,
    letter.topic,
    letter.partition,
    letter."offset",
    letter.record_key,
    letter.headers,
    octet_length(letter.value) AS value_bytes,
    letter.reason,
    letter.errors,
    letter.event_type,
    letter.dead_at,
    letter.arrived_at,
    letter.status,
    letter.settled_at
FROM unnest(%(statuses)s::smallint[]) AS wanted (status)
CROSS JOIN LATERAL (
    SELECT *
    FROM dead_letter
    WHERE
        dead_letter.status = wanted.status
        AND (%(reason)s IS NULL OR dead_letter.reason = %(reason)s)
        AND (%(event_type)s IS NULL OR dead_letter.event_type = %(event_type)s)
        AND (dead_letter.dead_at, dead_letter.id) < %(after)s
    ORDER BY dead_letter.dead_at DESC, dead_letter.id DESC
    LIMIT %(limit)s
) AS letter
ORDER BY letter.dead_at DESC, letter.id DESC
LIMIT %(limit)s
