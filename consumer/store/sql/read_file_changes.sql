-- File changes of the commits of a release, by path as bytes, whatever the collation of the database.
SELECT commit_file_change.commit_id, commit_file_change.filename, commit_file_change.type
FROM release_commit
JOIN commit_file_change ON commit_file_change.commit_id = release_commit.commit_id
WHERE release_commit.release_id = %(release_id)s
ORDER BY commit_file_change.filename COLLATE "C"
