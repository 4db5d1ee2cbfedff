SELECT h.release_id, c.id, c.repository_id, c.key, c.author_id, c.date_added,
       r.organization_id, r.name AS repository_name
FROM release_head_commit h
JOIN commit c ON c.id = h.commit_id
JOIN repository r ON r.id = c.repository_id
WHERE h.release_id IN (SELECT value::bigint FROM json_array_elements_text(%(releases)s))
