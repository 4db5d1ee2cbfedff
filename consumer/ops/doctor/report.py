"""What an examination says: one line a thing, ok, warn or fail, with the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How well a thing is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at.

    Args:
        area: what it is part of, such as ``kafka``.
        subject: the thing.
        verdict: how well it is.
        finding: what was found.
        remedy: what to do; empty where all is well.
    """

    area: str
    subject: str
    verdict: Verdict
    finding: str
    remedy: str = ""


class Area:
    """Makes the lines of one area."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[Line] = []

    def ok(self, subject: str, finding: str) -> None:
        """It is well."""
        self.lines.append(Line(self.name, subject, Verdict.OK, finding))

    def warn(self, subject: str, finding: str, remedy: str) -> None:
        """It works, but not as well as it could, or not for long."""
        self.lines.append(Line(self.name, subject, Verdict.WARN, finding, remedy))

    def fail(self, subject: str, finding: str, remedy: str) -> None:
        """A worker cannot work with it, or a promise is in danger."""
        self.lines.append(Line(self.name, subject, Verdict.FAIL, finding, remedy))

    def judge(self, subject: str, finding: str, *, warn: str = "", fail: str = "") -> None:
        """Well, unless there is a remedy for something worse."""
        if fail:
            self.fail(subject, finding, fail)
        elif warn:
            self.warn(subject, finding, warn)
        else:
            self.ok(subject, finding)
