-- Those of the groups at hand, and those that the events at hand name.
SELECT e.id, e.organization_id, e.provider, e.key, e.url, e.xmin::text::bigint AS xmin
FROM external_issue e
WHERE e.id IN (SELECT value::bigint FROM json_array_elements_text(%(ids)s))
UNION
SELECT e.id, e.organization_id, e.provider, e.key, e.url, e.xmin::text::bigint AS xmin
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, provider text, key text)
JOIN external_issue e ON e.organization_id = k.organization_id AND e.provider = k.provider AND e.key = k.key
