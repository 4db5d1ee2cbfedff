SELECT release_id, position, expected, "timestamp", newer
FROM (
    SELECT release_id, position, "timestamp",
           row_number() OVER log - 1 AS expected, lag("timestamp") OVER log AS newer
    FROM release_commit
    WINDOW log AS (PARTITION BY release_id ORDER BY position)
) AS entries
WHERE position <> expected
    OR (expected > 0 AND "timestamp" IS NOT NULL AND (newer IS NULL OR newer < "timestamp"))
ORDER BY release_id, position
