INSERT INTO group_resolution (group_id, version, type, status, actor_name, actor_email, date_added)
SELECT k.group_id, k.version, k.type, k.status, k.actor_name, k.actor_email, k.date_added
FROM json_to_recordset(%(rows)s) AS k (
    group_id bigint, version text, type smallint, status smallint, actor_name text, actor_email text,
    date_added timestamptz
)
ON CONFLICT (group_id) DO UPDATE
SET version = excluded.version, type = excluded.type, status = excluded.status, actor_name = excluded.actor_name,
    actor_email = excluded.actor_email, date_added = excluded.date_added
