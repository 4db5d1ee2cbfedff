UPDATE organization o
SET name = k.name, default_role = k.default_role, flags = k.flags, options = k.options
FROM json_to_recordset(%(rows)s) AS k (
    id bigint, name text, default_role text, flags integer, options json, xmin bigint
)
WHERE o.id = k.id AND o.xmin::text::bigint = k.xmin
