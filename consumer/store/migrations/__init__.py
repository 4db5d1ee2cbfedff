"""Migrations, run by ``store.migrating``."""
