"""Work for processes of their own, light to import: what several devices do, without devices."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sigil_eval.errors import UsageError
from sigil_eval.generation.devices import Report


def count(marks: Path, number: int, report: Report) -> None:
    """Report three samples of `number` tokens."""
    for _ in range(3):
        report(1, number)
    (marks / str(number)).touch()


def fail_second(marks: Path, number: int, report: Report) -> None:
    """The second of the parts fails; others go on for long."""
    if number == 2:
        raise UsageError("the second part is wrong")
    time.sleep(60)


def die(marks: Path, number: int, report: Report) -> None:
    """End as a process does that the system has killed."""
    report(1, 1)
    os._exit(9)
