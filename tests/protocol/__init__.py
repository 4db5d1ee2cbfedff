"""The exactly-once protocol as a small model, explored in every interleaving (``docs/protocol.md``).

``state.py`` holds what can be, ``group.py``, ``applying.py`` and ``announcing.py`` what can happen next,
``promises.py`` what must hold, ``explore.py`` the search.
"""
