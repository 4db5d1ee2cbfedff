-- Deploys of releases, those that finished last first.
SELECT
    deploy.release_id,
    environment.name AS environment,
    deploy.name,
    deploy.url,
    deploy.date_started,
    deploy.date_finished
FROM deploy
JOIN environment ON environment.id = deploy.environment_id
WHERE deploy.release_id = ANY(%(release_ids)s)
ORDER BY deploy.date_finished DESC, deploy.id DESC
