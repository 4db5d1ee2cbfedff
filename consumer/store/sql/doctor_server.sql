SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS told,
       extract(epoch FROM clock_timestamp())::float AS clock,
       current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('autovacuum') AS autovacuum,
       current_setting('transaction_read_only')::boolean OR pg_is_in_recovery() AS read_only,
       current_setting('server_encoding') AS encoding,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       current_setting('max_connections')::integer AS max_connections,
       oldest.pid AS oldest_pid, extract(epoch FROM now() - oldest.xact_start)::float AS oldest_seconds
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (
    SELECT pid, xact_start FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
    ORDER BY xact_start
    LIMIT 1
) AS oldest ON true
