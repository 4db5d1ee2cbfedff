UPDATE release_environment re SET status = k.status, listed_at = k.listed_at
FROM json_to_recordset(%(rows)s) AS k (id bigint, status smallint, listed_at timestamptz)
WHERE re.release_id = k.id AND (re.status, re.listed_at) IS DISTINCT FROM (k.status, k.listed_at)
