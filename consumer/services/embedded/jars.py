"""The jars of Apache Kafka, resolved by the pure Python Maven client ``jgo`` and kept beside its cache.

``kafka-jars.sha256`` locks them: exactly the files that it lists are used, and only with the contents it says. They are
copies: what jgo has resolved it may lay out anew at any time, also under a broker that is just starting.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import jgo
import requests
from jgo.config import GlobalSettings

from consumer.errors import UsageError, first_line
from consumer.services.versions import KAFKA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Resolved one by one: together, jgo would let the second's managed versions overrule the first's dependencies.
_COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    # Of the log4j that Kafka brings; without it the broker would log nothing.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
)
_LOCK = Path(__file__).with_name("kafka-jars.sha256")
_TOLD_EVERY = 10  # files
_CERTIFICATES = "REQUESTS_CA_BUNDLE"


def kafka_jars(progress: Callable[[str], None]) -> list[Path]:
    """All jars that a broker needs.

    Args:
        progress: told how far it is when they must be fetched first (once, 45 MB).

    Raises:
        UsageError: they are not in the cache and cannot be fetched, or are not those that are locked.
    """
    locked = locked_jars()
    with _cache_locked() as cache:
        folder = cache / f"release-consumer-kafka-{KAFKA}"
        if not all((folder / name).exists() for name in locked):
            with _told(progress):
                _copy(_fetched(), locked, folder)
    return [_verified(folder / name, digest) for name, digest in locked.items()]


def _fetched() -> dict[str, Path]:
    """What jgo resolves, by file name; it is fetched where it is not there yet."""
    try:
        try:
            return _resolve()
        except requests.exceptions.SSLError:
            # A company's own authority is known to the system, not to the certificates that requests brings.
            with _system_certificates():
                return _resolve()
    except (requests.RequestException, RuntimeError, ValueError, OSError) as error:
        msg = (
            f"kafka: cannot fetch its jars ({' '.join(_COORDINATES)}): {first_line(error)}; check "
            "the network, or name a server by RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS"
        )
        raise UsageError(msg) from error


def _copy(found: dict[str, Path], locked: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, digest in locked.items():
        if name not in found:
            msg = f"kafka: the jar {name} is locked but was not resolved; update {_LOCK.name} with the version of Kafka"
            raise UsageError(msg)
        draft = folder / f"{name}.new"
        shutil.copyfile(_verified(found[name], digest), draft)
        draft.replace(folder / name)


def _resolve() -> dict[str, Path]:
    return {jar.name: jar for coordinates in _COORDINATES for jar in jgo.build(coordinates).all_jars}


@contextmanager
def _system_certificates() -> Iterator[None]:
    paths = ssl.get_default_verify_paths()
    before = os.environ.get(_CERTIFICATES)
    os.environ[_CERTIFICATES] = paths.cafile or paths.capath or ""
    try:
        yield
    finally:
        del os.environ[_CERTIFICATES]
        if before is not None:
            os.environ[_CERTIFICATES] = before


def locked_jars() -> dict[str, str]:
    """File name and SHA-256 of each jar that is locked."""
    pairs = (line.split() for line in _LOCK.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def _verified(jar: Path, digest: str) -> Path:
    if hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
        msg = f"kafka: {jar} is damaged or not the file that is locked; remove it and try again"
        raise UsageError(msg)
    return jar


@contextmanager
def _cache_locked() -> Iterator[Path]:
    # Stacks of other data folders share the cache, and jgo does not guard a download against a second one.
    folder = GlobalSettings.load().cache_dir
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "release-consumer.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


@contextmanager
def _told(progress: Callable[[str], None]) -> Iterator[None]:
    """Turn jgo's log of downloads into a line of progress now and then."""
    logger = logging.getLogger("jgo")
    handler = _DownloadCounter(progress)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _DownloadCounter(logging.Handler):
    def __init__(self, progress: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._progress = progress
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith("Downloaded"):
            return
        self._count += 1
        if self._count % _TOLD_EVERY == 1:
            self._progress(f"fetching the jars of Kafka {KAFKA}, once; files so far: {self._count}")
