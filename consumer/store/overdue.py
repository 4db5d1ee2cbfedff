"""Answers of PostgreSQL that do not come: a connection on which one is overdue is broken.

A server that has vanished is noticed by TCP, and a statement that takes too long is ended by the server. Neither
helps where something in between keeps the connection open and forwards nothing, or where the server is stopped:
libpq would wait for ever.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg2.extensions
from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

_LOOK_EVERY_SECONDS = 0.5


def break_overdue(engine: Engine, seconds: float) -> None:
    """Let every connection that an engine opens from now on fail a call that is not answered in time.

    The call raises ``psycopg2.OperationalError``, as it does where the server ends the connection.

    Args:
        engine: of psycopg2.
        seconds: longer than the server lets a statement take, so that it is the server who ends those.
    """
    watch = _Watch(seconds)

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, *args: Any) -> None:
            with watch.call(self.connection):
                super().execute(*args)

        def copy_expert(self, *args: Any) -> None:
            with watch.call(self.connection):
                super().copy_expert(*args)

    class Connection(psycopg2.extensions.connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.cursor_factory = Cursor

        def commit(self) -> None:
            with watch.call(self):
                super().commit()

        def rollback(self) -> None:
            with watch.call(self):
                super().rollback()

    @event.listens_for(engine, "do_connect")
    def watch_connection(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
        options["connection_factory"] = Connection


class _Watch:
    """Knows which connections wait for an answer, and since when."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[psycopg2.extensions.connection, float] = {}
        # Held while a connection is broken, so that it is not closed, and its number given to another, meanwhile.
        self._lock = threading.Lock()
        self._is_watched = False

    @contextmanager
    def call(self, connection: psycopg2.extensions.connection) -> Iterator[None]:
        with self._lock:
            self._due[connection] = time.monotonic() + self._seconds
            if not self._is_watched:
                self._is_watched = True
                threading.Thread(target=self._look, name="overdue answers", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                del self._due[connection]

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)
            with self._lock:
                now = time.monotonic()
                for connection, due in self._due.items():
                    if due < now:
                        _break(connection)


def _break(connection: psycopg2.extensions.connection) -> None:
    # One that failed meanwhile has no socket any more.
    with suppress(OSError, psycopg2.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
