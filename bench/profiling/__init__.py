"""Where the time of a worker goes: Python by function and thread, PostgreSQL by statement."""
