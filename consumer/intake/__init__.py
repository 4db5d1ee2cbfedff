"""Kafka in: assignment, reading, and the transaction that applies a batch (DESIGN section 1)."""
