SELECT EXISTS (
    SELECT FROM parked_event p JOIN consumer_offset o ON o.id = p.offset_id WHERE o.consumer_group = %(group)s
)
