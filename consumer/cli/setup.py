"""``setup``: migrates the database and creates missing topics."""

from __future__ import annotations

import click

from consumer.intake.kafka import Cluster
from consumer.intake.startup import wait_for
from consumer.services import resolve_service
from consumer.settings import load_settings
from consumer.store.database import address_of, connect
from consumer.store.migrating import migrate


@click.command()
def setup() -> None:
    """Migrate the database and create missing topics.

    Safe to repeat, and to run from many places at once. Topics that exist are left as they are. Waits for services that
    are down, up to RELEASE_CONSUMER_STARTUP_TIMEOUT_SECONDS each.

    \b
    Example:
      release-consumer setup
    """
    settings = load_settings()
    servers = resolve_service(settings, "kafka", must_answer=False)
    database_url = resolve_service(settings, "postgresql", must_answer=False)
    cluster = Cluster(settings, servers)  # first: it refuses wrong properties at once
    engine = connect(database_url, application_name="release-consumer setup")
    patience = settings.startup_timeout_seconds
    revision = wait_for("PostgreSQL", address_of(database_url), lambda: migrate(engine), patience)
    click.echo(f"database: schema revision {revision}", err=True)
    created = wait_for("Kafka", servers, cluster.create_missing_topics, patience)
    for name, is_new in created.items():
        click.echo(f"topic {name}: {'created' if is_new else 'exists'}", err=True)
