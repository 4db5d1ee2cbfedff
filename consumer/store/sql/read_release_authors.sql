-- Authors by id.
SELECT commit_author.id, commit_author.name, commit_author.email
FROM commit_author
WHERE commit_author.id = ANY(%(author_ids)s)
