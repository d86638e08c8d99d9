"""What people see: one console, plain and colourless where output is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

console = Console(soft_wrap=True, highlight=False)
error_console = Console(stderr=True, soft_wrap=True, highlight=False)

LOG_INTERVAL_SECONDS = 10.0
STEADY_SECONDS = 2.0


def say(message: str) -> None:
    """Print one line; text in square brackets is printed as it stands."""
    console.print(message, markup=False)


def warn(message: str) -> None:
    """Print one line of warning to standard error."""
    error_console.print(f"warning: {message}", style="yellow", markup=False)


def format_duration(seconds: float) -> str:
    """`7s`, `3m 05s`, `2h 10m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


class ProgressLine:
    """Progress with rate and time left: a live bar in a terminal, a line every 10 s in a log.

    The rate counts from the first update, so that neither work resumed from a journal nor the
    time in which models load and compilers start distorts it.
    """

    def __init__(
        self,
        label: str,
        total: int,
        start: int = 0,
        unit: str = "samples",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label, self.total, self.start, self.unit = label, total, start, unit
        self.done = start
        self._clock = clock
        self._first: tuple[float, int] | None = None
        self._logged = clock()
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[detail]}"),
                console=console,
            )
            self._bar.start()
            self._task = self._bar.add_task(
                self.label, total=self.total, completed=self.done, detail=""
            )
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self.done > self.start:
            say(self._line(""))

    def update(self, done: int, detail: str = "") -> None:
        """Say that `done` of the total are finished; `detail` is shown at the end of the line."""
        self.done = done
        now = self._clock()
        if self._first is None:
            self._first = now, done
        if self._bar is not None:
            self._bar.update(self._task, completed=done, detail=f"{self._rate()}  {detail}")
        elif now - self._logged >= LOG_INTERVAL_SECONDS:
            self._logged = now
            say(self._line(detail))

    def _rate(self) -> str:
        if self._first is None:
            return ""
        began, before = self._first
        elapsed = self._clock() - began
        if self.done <= before or elapsed < STEADY_SECONDS:
            return ""
        rate = (self.done - before) / elapsed
        left = (self.total - self.done) / rate
        return f"{rate:.1f} {self.unit}/s, {format_duration(left)} left"

    def _line(self, detail: str) -> str:
        share = 100 * self.done / self.total if self.total else 100.0
        parts = [f"{self.label}: {self.done}/{self.total} ({share:.0f} %)", self._rate(), detail]
        return ", ".join(part for part in parts if part)
