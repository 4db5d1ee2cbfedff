"""An executable specification: SEMANTICS sections 3 to 7 and 10 in plain Python, one event at a time, in memory.

The product is judged against this model, so nothing here imports the product's handlers; only the typed events and the
catalogue of codes are shared.
"""
