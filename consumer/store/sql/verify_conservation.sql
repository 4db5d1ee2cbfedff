SELECT id, topic, partition, frontier - first_offset + adopted AS passed,
       applied + duplicate + parked + dead + absent + lost AS told
FROM consumer_offset
WHERE consumer_group = %(group)s
    AND applied + duplicate + parked + dead + absent + lost <> frontier - first_offset + adopted
ORDER BY id
