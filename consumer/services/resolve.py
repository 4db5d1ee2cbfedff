"""Where the services answer, for every command that uses them."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from consumer.errors import UsageError
from consumer.services.model import SERVICE_NAMES, SETTING_OF, Services, named_server
from consumer.services.state import State
from consumer.settings import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.services.model import ServiceName
    from consumer.services.state import Record
    from consumer.settings import Settings

_CONNECT_TIMEOUT = 2.0


def resolve_service(settings: Settings, name: ServiceName, *, must_answer: bool = True) -> str:
    """Find one service: named by a setting, else that of the stack in ``settings.stack_data``.

    Only looks; it starts nothing, and asks a server of the stack no more than whether it accepts a connection.

    Args:
        settings: may name the server.
        name: which; how the others are does not matter.
        must_answer: refuse a server of the stack that is down; without it the caller waits for it, or does without.

    Returns:
        the value of its setting, secrets included.

    Raises:
        UsageError: it is neither named nor up; says so in one line, with the remedy.
    """
    return _resolve(settings, (name,), must_answer=must_answer)[name]


def resolve_services(settings: Settings, *, must_answer: bool = True) -> Services:
    """Find all three services, each as ``resolve_service`` does; names all that are missing or down in one line."""
    urls = _resolve(settings, SERVICE_NAMES, must_answer=must_answer)
    return Services(**{SETTING_OF[name]: url for name, url in urls.items()})


def remembered_servers(settings: Settings) -> dict[str, str]:
    """What takes the place of settings that name no server: their values in the stack, up or down, by setting."""
    records = State(settings.stack_data.resolve()).records()
    return {SETTING_OF[name]: record.url for name, record in records.items() if named_server(settings, name) is None}


def _resolve(settings: Settings, names: Sequence[ServiceName], *, must_answer: bool) -> dict[ServiceName, str]:
    urls = {name: url for name in names if (url := named_server(settings, name)) is not None}
    wanted = [name for name in names if name not in urls]
    records = State(settings.stack_data.resolve()).records() if wanted else {}
    missing = [name for name in wanted if name not in records]
    down = [name for name in wanted if name in records and must_answer and not _accepts(records[name])]
    if missing or down:
        raise UsageError(_complaint(settings, missing, down))
    return urls | {name: records[name].url for name in wanted}


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
