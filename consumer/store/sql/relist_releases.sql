-- What release_project repeats of releases whose status or date changed.
UPDATE release_project rp SET status = k.status, listed_at = k.listed_at
FROM json_to_recordset(%(rows)s) AS k (id bigint, status smallint, listed_at timestamptz)
WHERE rp.release_id = k.id AND (rp.status, rp.listed_at) IS DISTINCT FROM (k.status, k.listed_at)
