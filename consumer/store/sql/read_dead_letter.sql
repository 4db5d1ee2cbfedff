SELECT
    id,
    topic,
    partition,
    "offset",
    record_key,
    headers,
    value,
    reason,
    errors,
    event_type,
    dead_at,
    arrived_at,
    status,
    settled_at
FROM dead_letter
WHERE id = %(id)s
