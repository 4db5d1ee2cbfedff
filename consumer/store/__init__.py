"""PostgreSQL: tables, migrations, the working set of a batch, offsets, outbox, parked events, dead letters."""
