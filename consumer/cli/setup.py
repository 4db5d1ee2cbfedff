"""``setup``: migrates the database and creates missing topics."""

from __future__ import annotations

import click

from consumer.intake.kafka import Cluster
from consumer.intake.startup import wait_for
from consumer.services import resolve_services
from consumer.settings import load_settings
from consumer.store.database import address_of, connect
from consumer.store.migrating import migrate


@click.command()
def setup() -> None:
    """Migrate the database and create missing topics.

    Safe to repeat, and to run from many places at once. Topics that exist are left as they are.

    \b
    Example:
      release-consumer setup
    """
    settings = load_settings()
    services = resolve_services(settings)
    engine = connect(services.database_url, application_name="release-consumer setup")
    patience = settings.startup_timeout_seconds
    revision = wait_for("PostgreSQL", address_of(services.database_url), lambda: migrate(engine), patience)
    click.echo(f"database: schema revision {revision}", err=True)
    cluster = Cluster(settings, services.kafka_bootstrap_servers)
    created = wait_for("Kafka", services.kafka_bootstrap_servers, cluster.create_missing_topics, patience)
    for name, is_new in created.items():
        click.echo(f"topic {name}: {'created' if is_new else 'exists'}", err=True)
