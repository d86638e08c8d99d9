"""What people see: plain and colourless where it is no terminal.

Standard output has what a command came to, and nothing else; whatever is said besides, progress,
too, goes to standard error.
Text from outside is shown and never obeyed: what would steer a terminal is written as its number.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TextIO, cast

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from sigil_eval.errors import OutputClosedError, PreflightError

# Control characters but tab and line feed, marks that turn or hide text, halves of characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Text with what cannot be seen, or steers a terminal, as its number; lines stay lines."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Screen(Console):
    """A console that sends no control character of a text's own, and knows a closed pipe."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, highlight=False, emoji=False)

    def render_str(self, text: str, **more: Any) -> Text:
        """All text that is printed comes through here, that of tables, too."""
        return super().render_str(visible(text), **more)

    def print(self, *objects: Any, **more: Any) -> None:
        """Raises PreflightError where standard output takes nothing; of standard error, what
        cannot be written is lost."""
        try:
            for line in self._lines(objects):
                super().print(*line, **more)
        except OSError as error:
            _to_nowhere(self.file)
            if not self.stderr:
                raise _not_written(error) from None

    def _lines(self, objects: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """What is to be printed, with lines that end between words where the terminal would cut one
        in two; a line that begins with four spaces is one to copy."""
        if not (self.is_terminal and len(objects) == 1 and isinstance(objects[0], str)):
            yield objects
            return
        for line in objects[0].split("\n"):
            if cell_len(line) <= self.width or line.startswith("    "):
                yield (line,)
            else:
                indent = " " * (len(line) - len(line.lstrip(" ")))
                for part in textwrap.wrap(
                    line,
                    self.width,
                    subsequent_indent=indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                ):
                    yield (part,)

    def on_broken_pipe(self) -> None:
        """Raises OutputClosedError where nobody reads the standard output any more."""
        self.quiet = True
        _to_nowhere(self.file)
        if not self.stderr:
            raise _nobody_reads()


@contextlib.contextmanager
def sending() -> Iterator[None]:
    """Where standard output is written to. Raises OutputClosedError when nobody reads it any more,
    and PreflightError when it cannot be written to."""
    try:
        yield
    except BrokenPipeError:
        _to_nowhere(sys.stdout)
        raise _nobody_reads() from None
    except OSError as error:
        _to_nowhere(sys.stdout)
        raise _not_written(error) from None


def _nobody_reads() -> OutputClosedError:
    return OutputClosedError("nobody reads the standard output any more; what was done is kept")


def _not_written(error: OSError) -> PreflightError:
    return PreflightError(f"standard output cannot be written to: {error.strerror}")


def _to_nowhere(stream: Any) -> None:
    """Have whatever is still written to a stream vanish, at the end of the process, too."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)


def open_streams() -> None:
    """Have standard streams that were closed go nowhere, before a file is opened in their place;
    and what the terminal's encoding lacks be written as a number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or _nothing("r")
    sys.stdout, sys.stderr = sys.stdout or _nothing("w"), sys.stderr or _nothing("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nothing(mode: str) -> TextIO:
    return cast(TextIO, Path(os.devnull).open(mode, encoding="utf-8"))


def close_output() -> None:
    """Send out what standard output has kept; raises as `sending` does."""
    with sending():
        sys.stdout.flush()


console = _Screen()
error_console = _Screen(stderr=True)


@dataclass
class _Manner:
    quiet: bool = False
    verbose: bool = False
    as_json: bool = False


_manner = _Manner()


def speak(*, quiet: bool = False, verbose: bool = False, as_json: bool = False) -> None:
    """How the program speaks from here on: `quiet`, only results, warnings and errors; `verbose`,
    details, too; `as_json`, results for programs."""
    _manner.quiet, _manner.verbose, _manner.as_json = quiet, verbose, as_json
    console.quiet = as_json


def is_verbose() -> bool:
    """Whether details are wanted."""
    return _manner.verbose


def json_is_wanted() -> bool:
    """Whether results go to a program: what people would read is then not printed."""
    return _manner.as_json


LOG_INTERVAL_SECONDS = 10.0
STEADY_SECONDS = 2.0


def say(message: str) -> None:
    """Print a line of a result; text in square brackets is printed as it stands."""
    console.print(message, markup=False)


def answer(result: object, *, indent: int | None = 2) -> None:
    """Write a result as JSON, where that is wanted; with `indent` None, on one line."""
    if json_is_wanted():
        write_out(json.dumps(result, indent=indent, ensure_ascii=False) + "\n")


def mention(message: str) -> None:
    """Print a line to standard error: what is good to know, and no result."""
    if not _manner.quiet:
        error_console.print(message, markup=False)


def detail(message: str) -> None:
    """Print a line to standard error for whoever wants to know all."""
    if _manner.verbose:
        error_console.print(message, style="dim", markup=False)


def write_out(text: str) -> None:
    """Write text for programs to read, to the byte; in a terminal, what steers it is shown."""
    with sending():
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()


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
        if error_console.is_terminal and not _manner.quiet:
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[detail]}", markup=False),
                console=error_console,
            )
            self._bar.start()
            self._task = self._bar.add_task(
                visible(self.label), total=self.total, completed=self.done, detail=""
            )
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self.done > self.start:
            mention(self._line(""))

    def update(self, done: int, detail: str = "") -> None:
        """Say that `done` of the total are finished; `detail` is shown at the end of the line."""
        self.done = done
        now = self._clock()
        if self._first is None:
            self._first = now, done
        if self._bar is not None:
            self._bar.update(
                self._task, completed=done, detail=visible(f"{self._rate()}  {detail}")
            )
        elif now - self._logged >= LOG_INTERVAL_SECONDS:
            self._logged = now
            mention(self._line(detail))

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
