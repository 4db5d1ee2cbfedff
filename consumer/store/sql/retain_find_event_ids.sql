SELECT ctid::text FROM processed_event WHERE processed_at < %(before)s LIMIT %(limit)s
