"""Where the services answer, for every command that uses them."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from consumer.errors import UsageError
from consumer.services.model import SERVICE_NAMES, SETTING_OF, Services
from consumer.services.state import State
from consumer.settings import ENV_PREFIX

if TYPE_CHECKING:
    from consumer.services.model import ServiceName
    from consumer.services.state import Record
    from consumer.settings import Settings

_CONNECT_TIMEOUT = 2.0


def resolve_services(settings: Settings) -> Services:
    """Find the three services: named by settings, else those of the stack in ``settings.stack_data``.

    Only looks; it starts nothing, and asks a server of the stack no more than whether it accepts a connection.

    Raises:
        UsageError: a service is neither named nor up; names each such service and the remedy, in one line.
    """
    records = State(settings.stack_data.resolve()).records()
    urls: dict[str, str] = {}
    missing: list[ServiceName] = []
    down: list[ServiceName] = []
    for name in SERVICE_NAMES:
        setting = SETTING_OF[name]
        named = getattr(settings, setting)
        if named is not None:
            urls[setting] = named
        elif name not in records:
            missing.append(name)
        elif not _accepts(records[name]):
            down.append(name)
        else:
            urls[setting] = records[name].url
    if missing or down:
        raise UsageError(_complaint(settings, missing, down))
    return Services(**urls)


def _accepts(record: Record) -> bool:
    host, _, port = record.address.rpartition(":")
    try:
        with closing(socket.create_connection((host, int(port)), timeout=_CONNECT_TIMEOUT)):
            return True
    except OSError:
        return False


def _complaint(settings: Settings, missing: list[ServiceName], down: list[ServiceName]) -> str:
    problems = []
    if missing:
        problems.append(
            f"no server is named for {', '.join(missing)}, and {settings.stack_data} holds no stack with it"
        )
    if down:
        problems.append(f"the stack in {settings.stack_data} has {', '.join(down)} down")
    variables = " and ".join(f"{ENV_PREFIX}{SETTING_OF[name].upper()}" for name in (*missing, *down))
    return f"{'; '.join(problems)}; run `release-consumer stack up`, or set {variables}"
