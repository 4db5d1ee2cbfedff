-- By repository and number for the events at hand; by merge commit for the commits at hand; by id for references.
SELECT p.id, p.organization_id, p.repository_id, p.key, p.title, p.message, p.author_id, p.merge_commit_sha,
       r.name AS repository_name, p.xmin::text::bigint AS xmin
FROM (
    SELECT p.id
    FROM json_to_recordset(%(keys)s) AS k (repository_id bigint, key text)
    JOIN pull_request p ON p.repository_id = k.repository_id AND p.key = k.key
    UNION
    SELECT p.id
    FROM json_to_recordset(%(merges)s) AS k (organization_id bigint, shas text[])
    CROSS JOIN LATERAL (
        SELECT id
        FROM pull_request
        WHERE organization_id = k.organization_id AND merge_commit_sha = ANY(k.shas)
        OFFSET 0 -- one look into the index an organization, whatever the planner thinks of joining them all
    ) AS p
    UNION
    SELECT value::bigint FROM json_array_elements_text(%(ids)s)
) AS wanted
JOIN pull_request p ON p.id = wanted.id
JOIN repository r ON r.id = p.repository_id
ORDER BY p.id
