SELECT dead_letter, partition, "offset", id, stream, sequence, before
FROM (
    SELECT dead_letter, partition, "offset", id, stream, sequence,
           lag(sequence) OVER (PARTITION BY dead_letter, partition, stream ORDER BY "offset") AS before
    FROM announced
    WHERE NOT replayed
) AS told
WHERE before > sequence
ORDER BY dead_letter, partition, "offset"
