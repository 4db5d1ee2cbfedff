"""Kafka out: announces what was applied, exactly once (DESIGN section 2)."""
