-- Takes %(count)s steps of %(step)s ticks and returns the first tick. The sequence holds the next free tick, a tick
-- being 1/%(ticks_per_second)s s since the epoch: it follows the clock, and never goes back when the clock does.
-- The lock makes reading and setting it one step; OFFSET 0 keeps the planner from reading it before the lock is held.
SELECT setval('snowflake_fallback_seq', next.first + %(count)s * %(step)s::bigint) - %(count)s * %(step)s::bigint
FROM (SELECT pg_advisory_xact_lock(hashtext('snowflake_fallback_seq'))::text AS held OFFSET 0) AS lock
CROSS JOIN LATERAL (
    SELECT
        ceil(
            greatest(
                last_value,
                (extract(EPOCH FROM clock_timestamp()) - %(epoch)s) * %(ticks_per_second)s
            ) / %(step)s
        )::bigint * %(step)s AS first
    FROM snowflake_fallback_seq
    WHERE lock.held IS NOT NULL
    OFFSET 0
) AS next
