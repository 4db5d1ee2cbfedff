-- A release has the ref, url and date that it was created with, or that an update gave it. An empty text stands for none.
SELECT r.id, r.version, r.ref, r.url, r.date_released
FROM (
    SELECT release_id, bool_or(type = 'activity.release.created') AS has_beginning,
           array_agg(CASE type
               WHEN 'activity.release.created' THEN coalesce(cloudevent #>> '{data,ref}', '')
               ELSE cloudevent #>> '{data,changes,ref,to}'
           END) AS refs,
           array_agg(CASE type
               WHEN 'activity.release.created' THEN coalesce(cloudevent #>> '{data,url}', '')
               ELSE cloudevent #>> '{data,changes,url,to}'
           END) AS urls,
           array_agg(CASE type
               WHEN 'activity.release.created' THEN coalesce(cloudevent #>> '{data,dateReleased}', '-infinity')
               ELSE cloudevent #>> '{data,changes,dateReleased,to}'
           END::timestamptz) AS dates
    FROM activity
    WHERE type IN ('activity.release.created', 'activity.release.updated')
    GROUP BY release_id
) AS told
JOIN release r ON r.id = told.release_id
WHERE told.has_beginning AND (
    coalesce(r.ref, '') = ANY(told.refs)
    AND coalesce(r.url, '') = ANY(told.urls)
    AND coalesce(r.date_released, '-infinity') = ANY(told.dates)
) IS NOT TRUE
ORDER BY r.id
