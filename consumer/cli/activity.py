"""``activity``: what is announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import orjson

from consumer.cli.options import one_of
from consumer.cli.output import cell, json_option, print_json_line
from consumer.cli.signals import told_to_end
from consumer.client import Subscriber
from consumer.contracts.schemas import activity_types
from consumer.settings import load_settings

if TYPE_CHECKING:
    from consumer.client import Document


@click.group()
def activity() -> None:
    """Read the activity topic.

    \b
    Example:
      release-consumer activity tail --from-beginning --until-caught-up
    """


@activity.command()
@click.option("--from-beginning", is_flag=True, help="Start with the oldest activity, not with the next one.")
@click.option("--until-caught-up", is_flag=True, help="End after what was there at the start.")
@click.option(
    "--type",
    "event_type",
    callback=one_of("type", activity_types),
    help="Only activities of this type, such as activity.group.resolved.",
)
@json_option
def tail(*, from_beginning: bool, until_caught_up: bool, event_type: str | None, as_json: bool) -> None:
    """Print announced activities as they come, one CloudEvent a line; only committed ones are seen.

    Ends with exit code 0 on Ctrl-C or SIGTERM.

    \b
    Example:
      release-consumer activity tail --from-beginning --until-caught-up --type activity.group.resolved --json
    """
    with told_to_end() as stop, Subscriber(load_settings()) as subscriber:
        for event in subscriber.activities(from_beginning=from_beginning, until_caught_up=until_caught_up, stop=stop):
            if event_type is None or event.get("type") == event_type:
                print_json_line(event) if as_json else click.echo(_for_people(event))


def _for_people(event: Document) -> str:
    return cell(
        f"{event.get('time', '')}  {event.get('type', '')}  {event.get('subject', '')}  "
        f"{orjson.dumps(event.get('data')).decode()}"
    )
