-- The rows are locked since they were read.
UPDATE release r
SET status = k.status,
    ref = k.ref,
    url = k.url,
    date_released = k.date_released,
    total_deploys = r.total_deploys + k.new_deploys,
    last_deploy_id = coalesce(k.last_deploy_id, r.last_deploy_id),
    commit_count = CASE WHEN k.log_known THEN k.commit_count ELSE r.commit_count END,
    last_commit_id = CASE WHEN k.log_known THEN k.last_commit_id ELSE r.last_commit_id END,
    authors = CASE
        WHEN k.log_known THEN ARRAY(SELECT value::bigint FROM json_array_elements_text(k.authors)) ELSE r.authors
    END,
    log_digest = CASE WHEN k.log_known THEN decode(k.log_digest, 'hex') ELSE r.log_digest END,
    log_set_at = k.log_set_at
FROM json_to_recordset(%(rows)s) AS k (
    id bigint, status smallint, ref text, url text, date_released timestamptz, new_deploys integer,
    last_deploy_id bigint, commit_count integer, last_commit_id bigint, authors json, log_known boolean,
    log_digest text, log_set_at timestamptz
)
WHERE r.id = k.id
