-- Numbers that nobody told, if they are more than repeated announcements took: those tell the numbers they had first,
-- and those taken over from a partition that is not read any more the stream that they had.
WITH gaps AS (
    SELECT offset_id, stream, before + 1 AS first_number, sequence - 1 AS last_number
    FROM (
        SELECT offset_id, stream, sequence,
               lag(sequence, 1, floor) OVER (PARTITION BY offset_id ORDER BY sequence) AS before
        FROM (
            SELECT p.offset_id, p.stream, p.floor, n.sequence
            FROM progress p
            JOIN announced n ON n.stream = p.stream
            WHERE NOT n.replayed AND n.sequence > p.floor AND n.sequence <= p.seq
            UNION
            SELECT offset_id, stream, floor, seq + 1 FROM progress
        ) AS told
    ) AS numbers
    WHERE sequence > before + 1
)
SELECT g.offset_id, g.first_number, g.last_number
FROM gaps g
WHERE (SELECT sum(last_number - first_number + 1) FROM gaps s WHERE s.offset_id = g.offset_id)
    > (SELECT count(*) FROM announced a WHERE a.replayed
        AND (a.stream = g.stream OR a.stream NOT IN (SELECT stream FROM progress)))
ORDER BY g.offset_id, g.first_number
