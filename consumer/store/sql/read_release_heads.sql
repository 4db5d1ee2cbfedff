-- Head commits of releases, by repository.
SELECT release_head_commit.release_id, repository.name AS repository, commit.key
FROM release_head_commit
JOIN repository ON repository.id = release_head_commit.repository_id
JOIN commit ON commit.id = release_head_commit.commit_id
WHERE release_head_commit.release_id = ANY(%(release_ids)s)
ORDER BY repository.name COLLATE "C"
