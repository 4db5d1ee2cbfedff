-- Projects of releases, by slug.
SELECT release_project.release_id, project.slug
FROM release_project
JOIN project ON project.id = release_project.project_id
WHERE release_project.release_id = ANY(%(release_ids)s)
ORDER BY project.slug COLLATE "C"
