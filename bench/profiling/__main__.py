"""``python -m bench.profiling FOLDER run ...``: the product's command, with every thread under ``cProfile``.

At the end each thread's figures are in FOLDER, as ``<thread>.prof`` and, readable, as ``<thread>.txt``.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
from pathlib import Path

from consumer.cli.main import main

_LINES = 60

# From 3.12 on a profile of one thread holds calls of all.
_TOO_NEW = (3, 12)


def _profile_threads(profiles: dict[str, cProfile.Profile]) -> None:
    """Give every thread that is started from now on a profile of its own."""
    run = threading.Thread.run

    def run_with_profile(self: threading.Thread) -> None:
        profile = profiles[self.name] = cProfile.Profile()
        profile.enable()
        run(self)
        profile.disable()

    threading.Thread.run = run_with_profile  # type: ignore[method-assign]  # a thread is profiled from inside only


def _write(folder: Path, name: str, profile: cProfile.Profile) -> None:
    with (folder / f"{name}.txt").open("w", encoding="utf-8") as file:
        stats = pstats.Stats(profile, stream=file)
        stats.dump_stats(folder / f"{name}.prof")
        stats.sort_stats("cumulative").print_stats(_LINES)
        stats.sort_stats("tottime").print_stats(_LINES)


def run_profiled() -> None:
    """Run the command; the figures are written when it ends."""
    if sys.version_info >= _TOO_NEW:
        sys.exit("Error: profiling thread by thread needs Python 3.11; make install PYTHON=python3.11")
    folder = Path(sys.argv.pop(1))
    folder.mkdir(parents=True, exist_ok=True)
    profiles: dict[str, cProfile.Profile] = {}
    _profile_threads(profiles)
    own = profiles["main"] = cProfile.Profile()
    own.enable()
    try:
        main()
    finally:
        own.disable()
        for name, profile in profiles.items():
            _write(folder, name, profile)


run_profiled()
