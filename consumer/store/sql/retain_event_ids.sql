-- Another row may have taken the place of one that is gone by now: its time tells.
WITH gone AS (
    DELETE FROM processed_event
    WHERE ctid IN (
        SELECT ctid FROM processed_event
        WHERE ctid = ANY(%(places)s::tid[]) AND processed_at < %(before)s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING offset_id
), counted AS (
    INSERT INTO expired_event AS e (offset_id, events)
    SELECT offset_id, count(*) FROM gone GROUP BY offset_id
    ON CONFLICT (offset_id) DO UPDATE SET events = e.events + excluded.events
)
SELECT count(*) FROM gone
