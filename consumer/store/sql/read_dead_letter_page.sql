-- Dead letters, newest first, after the one that the cursor names; or the one with the given id.
SELECT
    dead_letter.id,
    dead_letter.topic,
    dead_letter.partition,
    dead_letter."offset",
    dead_letter.record_key,
    dead_letter.headers,
    dead_letter.value,
    dead_letter.reason,
    dead_letter.errors,
    dead_letter.event_type,
    dead_letter.dead_at
FROM dead_letter
WHERE
    (%(id)s IS NULL OR dead_letter.id = %(id)s)
    AND (%(reason)s IS NULL OR dead_letter.reason = %(reason)s)
    AND (%(event_type)s IS NULL OR dead_letter.event_type = %(event_type)s)
    AND (dead_letter.dead_at, dead_letter.id) < %(after)s
ORDER BY dead_letter.dead_at DESC, dead_letter.id DESC
LIMIT %(limit)s
