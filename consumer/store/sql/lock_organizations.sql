-- Orders batches that write catalog events of an organization (exclusive) against batches that write its release
-- events (shared): a reference and the group it names can then never miss each other. Sorted: no deadlocks.
SELECT CASE WHEN k.exclusive THEN pg_advisory_xact_lock(k.lock) ELSE pg_advisory_xact_lock_shared(k.lock) END
FROM json_to_recordset(%(locks)s) AS k (lock bigint, exclusive boolean)
