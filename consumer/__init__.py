"""A Kafka consumer that applies release events to PostgreSQL exactly once, and announces what happened exactly once.

The way of an event: ``intake`` reads it, ``contracts`` decodes and validates it, ``handlers`` say what it does,
``store`` keeps that in one transaction, ``announce`` tells it to subscribers.
"""
