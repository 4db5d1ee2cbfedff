"""Chaos: a long mix of random faults on real processes, while events are published and replayed.

``make chaos MINUTES=30`` runs it, ``SEED=n`` draws the same faults in the same order again. It is no part of the
tests that pytest collects.
"""
