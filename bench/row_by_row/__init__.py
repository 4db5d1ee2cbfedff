"""The row-by-row version of the rules: what an ordinary service with an ORM does, one transaction an event.

It writes the same tables under the same rules (SEMANTICS sections 3 to 7) through SQLAlchemy's ORM, with the
look-up-then-insert of each repository, author, commit, link and resolution that Sentry's own code has. Where it is
free to choose it is fast: events come from memory, ids from a counter, nothing is locked in Redis and nothing is sent
to Kafka; a log, file changes and activities are written by bulk statements of the unit of work. Rules that no workload
needs are left out: deploys, deletions, pending resolutions, links that end, ``replace``.
"""
