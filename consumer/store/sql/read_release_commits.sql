-- The commit log of a release, newest first.
SELECT
    commit.id,
    commit.key,
    repository.name AS repository,
    commit.message,
    commit.author_id,
    commit_author.name AS author_name,
    commit_author.email AS author_email,
    commit.date_added
FROM release_commit
JOIN commit ON commit.id = release_commit.commit_id
JOIN repository ON repository.id = commit.repository_id
LEFT JOIN commit_author ON commit_author.id = commit.author_id
WHERE release_commit.release_id = %(release_id)s
ORDER BY release_commit.position
