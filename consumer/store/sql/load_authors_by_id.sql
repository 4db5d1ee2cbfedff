SELECT a.id, a.organization_id, a.email, a.name, a.xmin::text::bigint AS xmin
FROM commit_author a
WHERE a.id IN (SELECT value::bigint FROM json_array_elements_text(%(ids)s))
