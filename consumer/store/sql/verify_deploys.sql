SELECT r.id, r.version, r.total_deploys, count(d.id) AS deploys, r.last_deploy_id
FROM release r
LEFT JOIN deploy d ON d.release_id = r.id
GROUP BY r.id
HAVING r.total_deploys <> count(d.id)
    OR (r.last_deploy_id IS NULL) <> (count(d.id) = 0)
    OR (r.last_deploy_id IS NOT NULL AND NOT bool_or(d.id = r.last_deploy_id))
ORDER BY r.id
