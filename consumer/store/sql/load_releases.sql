-- The row lock is the truth that the Redis lock only spares contention for (SEMANTICS 4.3).
SELECT r.id, r.organization_id, r.version, r.status, r.ref, r.url, r.owner, r.date_added, r.date_started,
       r.date_released, r.log_digest, r.log_set_at
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, version text)
JOIN release r ON r.organization_id = k.organization_id AND r.version = k.version
ORDER BY r.id
FOR UPDATE OF r
