-- Another row may have taken the place of one that is gone by now: its time tells.
DELETE FROM processed_event
WHERE ctid IN (
    SELECT ctid FROM processed_event
    WHERE ctid = ANY(%(places)s::tid[]) AND processed_at < %(before)s
    FOR UPDATE SKIP LOCKED
)
