SELECT offset_id, seq, activity_id, dead_letter_id
FROM outbox
WHERE num_nonnulls(activity_id, dead_letter_id) <> 1
ORDER BY offset_id, seq
