-- In the order of rows, which is about that of events: activities of one event come together.
SELECT cloudevent ->> 'causesource', cloudevent ->> 'causeid', id
FROM activity
WHERE date_added >= %(since)s
ORDER BY id
