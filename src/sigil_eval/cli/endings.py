"""How a command ends: its exit code, and what is said when it was not done."""

from __future__ import annotations

import errno
import io
import re
import traceback

import click

from sigil_eval.console import detail, error_console
from sigil_eval.errors import PreflightError, UsageError

EXIT_CODES = """\b
Exit codes:
  0  done
  2  the request is wrong (an option, a file, a value)
  3  the machine, the sandbox or the judge's own proof is not fit
  4  incomplete: infrastructure failures left samples without a verdict
  5  training data that were checked are not clean
  130  interrupted; the same command goes on where it stopped
  141  nobody reads what is printed any more (`| head`); likewise"""
NOT_CLEAN = 5
INTERRUPTED = 130
_LONGEST_PATH = 500
_LONGEST_WORD = 300


def in_words(error: OSError) -> tuple[str, int]:
    """What a call of the system's failed at, and the exit code: a path that can be none was asked
    for in error."""
    wrong_request = error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
    code = UsageError.exit_code if wrong_request else PreflightError.exit_code
    place = str(error.filename) if error.filename else ""
    shown = place if len(place) <= _LONGEST_PATH else place[:_LONGEST_PATH] + "…"
    return f"{shown}: {error.strerror or error}".removeprefix(": "), code


def say_error(message: str, code: int) -> int:
    """Show an error, and with -v where it arose; the exit code."""
    detail(traceback.format_exc().rstrip("\n"))
    error_console.print(f"error: {message}", style="red", markup=False)
    return code


def say_refusal(error: click.ClickException) -> int:
    """Show what click has against the command line; the exit code."""
    said = io.StringIO()
    error.show(said)
    bounded = re.sub(rf"(\S{{{_LONGEST_WORD}}})\S+", r"\1…", said.getvalue().rstrip("\n"))
    error_console.print(bounded, markup=False)
    return error.exit_code


def say_interrupted() -> int:
    """Say how to go on; the exit code."""
    error_console.print("interrupted: run the same command again to go on where it stopped")
    return INTERRUPTED
