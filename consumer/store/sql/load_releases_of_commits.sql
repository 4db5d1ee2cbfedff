-- Which logs hold the commits that late groups and pull requests point to, by id or by merge commit.
SELECT c.id AS commit_id, c.repository_id, c.key, c.author_id, c.date_added, o.organization_id,
       o.name AS repository_name, r.id AS release_id, r.version, r.date_added AS release_date,
       r.log_set_at
FROM (
    SELECT value::bigint AS id FROM json_array_elements_text(%(commits)s)
    UNION
    SELECT c.id
    FROM json_to_recordset(%(merges)s) AS k (organization_id bigint, sha text)
    JOIN repository o ON o.organization_id = k.organization_id
    JOIN commit c ON c.repository_id = o.id AND c.key = k.sha
) AS wanted
JOIN commit c ON c.id = wanted.id
JOIN repository o ON o.id = c.repository_id
LEFT JOIN release_commit rc ON rc.commit_id = c.id
LEFT JOIN release r ON r.id = rc.release_id
