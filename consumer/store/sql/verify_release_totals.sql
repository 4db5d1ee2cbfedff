SELECT r.id, r.version, r.commit_count, coalesce(log.commits, 0) AS commits,
       r.last_commit_id, log.newest AS newest_commit_id, r.authors, coalesce(log.authors, '{}') AS log_authors
FROM release r
LEFT JOIN (
    SELECT rc.release_id, count(*) AS commits, min(rc.commit_id) FILTER (WHERE rc.position = 0) AS newest,
           array_agg(DISTINCT c.author_id) FILTER (WHERE c.author_id IS NOT NULL) AS authors
    FROM release_commit rc
    JOIN commit c ON c.id = rc.commit_id
    GROUP BY rc.release_id
) AS log ON log.release_id = r.id
WHERE r.commit_count <> coalesce(log.commits, 0)
    OR r.last_commit_id IS DISTINCT FROM log.newest
    OR ARRAY(SELECT author FROM unnest(r.authors) AS author ORDER BY author) <> coalesce(log.authors, '{}')
ORDER BY r.id
