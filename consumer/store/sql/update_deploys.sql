UPDATE deploy d
SET project_ids = k.project_ids
FROM json_to_recordset(%(rows)s) AS k (id bigint, project_ids bigint[])
WHERE d.id = k.id
