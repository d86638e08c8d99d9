"""Errors that are shown to people, each with the exit code it ends the program with."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_QUOTE = 100


class SigilEvalError(Exception):
    """A failure whose message names the thing that is wrong and the way out."""

    exit_code = 1


class UsageError(SigilEvalError):
    """The request cannot be carried out as it was made: a bad option, file or value."""

    exit_code = 2


class PreflightError(SigilEvalError):
    """The machine, the sandbox or the judge's proof is not fit to produce a result."""

    exit_code = 3


class IncompleteError(SigilEvalError):
    """Results were written, but infrastructure failures left some samples without a verdict."""

    exit_code = 4


class OutputClosedError(SigilEvalError):
    """Whoever read the standard output has gone: what a shell shows for SIGPIPE."""

    exit_code = 141


def quoted(text: str) -> str:
    """Text from outside for a message: in quotes, on one line, bounded, and nothing unseen."""
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest, as a question behind a message; empty where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word[:_LONGEST_QUOTE], list(known), n=1)
    return f" Did you mean {quoted(near[0])}?" if near else ""
