-- Before anything that workers write under the same locks: in their order.
SELECT id FROM consumer_offset WHERE id = ANY(%(streams)s) ORDER BY id FOR UPDATE
