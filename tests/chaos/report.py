"""What a run tells: each fault as it happens, and in the end how many of each kind were survived."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tests.chaos.checkpoint import Checked
    from tests.chaos.crew import Crew
    from tests.chaos.faults import Fault


class Report:
    """Told of everything; prints it.

    Args:
        seed: repeats the run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._began = time.monotonic()
        self._pending: Counter[str] = Counter()
        self._survived: Counter[str] = Counter()
        self._events: dict[str, int] = {}
        self._checkpoints = 0
        self._longest_recovery = 0.0
        self.violations = 0

    def say(self, words: str) -> None:
        """Print a line."""
        seconds = time.monotonic() - self._began
        click.echo(f"{int(seconds // 60):3d}:{seconds % 60:04.1f}  {words}")

    def fault(self, fault: Fault, what: str, seconds: float) -> None:
        """A fault begins."""
        self._pending[fault.name] += 1
        self.say(f"{fault.name}: {what}" + (f", for {seconds:.1f} s" if seconds else ""))

    def checked(self, crew: Crew, checked: Checked) -> None:
        """An installation was checked."""
        self._checkpoints += 1
        # Where it did not come to rest nothing was counted.
        self._events[crew.protocol] = max(checked.events, self._events.get(crew.protocol, 0))
        self._longest_recovery = max(self._longest_recovery, checked.recovery_seconds)
        self.violations += len(checked.violations)
        state = "all promises kept" if not checked.violations else f"{len(checked.violations)} VIOLATIONS"
        self.say(
            f"{crew}: at rest after {checked.recovery_seconds:.1f} s, {checked.events} events,"
            f" {checked.announced} activities, {checked.dead} dead letters: {state}"
        )
        for violation in checked.violations:
            click.echo(f"  {violation}")

    def survived(self) -> None:
        """All installations were checked since the last faults; nothing was broken."""
        self._survived += self._pending
        self._pending.clear()

    def end(self) -> None:
        """Print the summary."""
        click.echo(f"\nseed {self._seed}: {time.monotonic() - self._began:.0f} s, {self._checkpoints} checks")
        for name, times in sorted(self._survived.items()):
            click.echo(f"  {times:4d} x {name}")
        click.echo(
            f"{self._survived.total()} faults survived, {sum(self._events.values())} events checked,"
            f" longest recovery {self._longest_recovery:.1f} s, {self.violations} violations"
        )
        if self.violations:
            click.echo(f"Repeat with: make chaos SEED={self._seed}")
