WITH stuck AS MATERIALIZED ( -- found before any is ended: in one WHERE the order of conditions is not ours to say
    SELECT a.pid, a.application_name
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid()
        AND a.state = 'active' AND a.wait_event = 'ClientRead'
        AND a.query_start < now() - %(seconds)s * interval '1 second'
        AND EXISTS (
            SELECT FROM pg_locks l
            WHERE l.pid = a.pid AND l.relation = 'consumer_offset'::regclass AND l.mode = 'RowExclusiveLock'
                AND l.granted
        )
)
SELECT pid, application_name FROM stuck WHERE pg_terminate_backend(pid)
