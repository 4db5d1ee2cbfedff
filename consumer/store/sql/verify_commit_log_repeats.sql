SELECT release_id, commit_id, count(*) AS times
FROM release_commit
GROUP BY release_id, commit_id
HAVING count(*) > 1
ORDER BY release_id, commit_id
