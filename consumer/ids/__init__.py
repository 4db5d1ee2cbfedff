"""Ids and locks: snowflake ids from Redis or PostgreSQL, and the Redis locks of releases."""
