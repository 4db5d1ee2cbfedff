INSERT INTO release_environment AS e (
    release_id, project_id, environment_id, status, listed_at, folded_version, precedence, first_seen, last_seen,
    last_deploy_id
)
SELECT
    k.release_id, k.project_id, k.environment_id, k.status, k.listed_at, k.folded_version, k.precedence, k.seen_at,
    k.seen_at, k.last_deploy_id
FROM json_to_recordset(%(rows)s) AS k (
    release_id bigint, project_id bigint, environment_id bigint, status smallint, listed_at timestamptz,
    folded_version text, precedence text, seen_at timestamptz, last_deploy_id bigint
)
ON CONFLICT (release_id, project_id, environment_id) DO UPDATE
SET first_seen = least(e.first_seen, excluded.first_seen), last_seen = greatest(e.last_seen, excluded.last_seen),
    last_deploy_id = excluded.last_deploy_id
