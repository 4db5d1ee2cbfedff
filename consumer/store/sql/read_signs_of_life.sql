-- Changes whenever a worker has applied anything, or has taken a partition over.
SELECT sum(epoch) AS epochs, sum(next_offset) AS offsets, sum(applied + duplicate + dead) AS settled FROM consumer_offset
