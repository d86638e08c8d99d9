"""Read what the driver says of its candidates, and turn each ending into a verdict."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.diagnostics import STDERR_LIMIT
from sigil_eval.judging.errors import SandboxFailureError
from sigil_eval.judging.limits import ABOUT
from sigil_eval.judging.verdict import Verdict

# No candidate can send these, to itself or to others.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_HEAD = re.compile(rb"(\d+) (\d+) (\d+) (\d+) (\d+)\n")


@dataclass(frozen=True)
class Ending:
    """How one candidate's tests ended, or the candidate's process where they have lost it.

    `exit_code` is minus the signal's number where a signal ended it; `cpu_seconds` is the processor
    time that it and the other of the two processes used, rounded down.
    """

    exit_code: int
    report: str
    message: str
    cpu_seconds: int = 0


def read_endings(output: bytes, expected: Iterable[int]) -> Iterator[Ending]:
    """The complete entries in a driver's output, which are to be of the `expected` candidates in
    this order (format: rust/runtime.rs)."""
    position = 0
    for candidate in expected:
        match = _HEAD.match(output, position)
        if match is None:
            return
        index, status, cpu, report, message = (int(group) for group in match.groups())
        start = match.end()
        end = start + report + message
        if index != candidate or end > len(output):
            return
        yield Ending(
            os.waitstatus_to_exitcode(status),
            output[start : start + report].decode("utf-8", "replace"),
            output[start + report : end].decode("utf-8", "replace"),
            cpu,
        )
        position = end


def judge_ending(ending: Ending, nonce: str, tests: int, limit: float) -> Verdict | None:
    """The verdict, or None when the wall clock ran out before `limit` seconds of processor time.

    Raises SandboxFailureError when the candidate was never started, or was ended from outside.
    """
    start = f"{nonce} START\n"
    if ending.exit_code == 0 and ending.report == f"{start}{nonce} PASS {tests}/{tests}\n":
        if ending.cpu_seconds > limit:
            both = f"tests and answer took {ending.cpu_seconds} s together"
            return verdicts.not_passed("test_timeout", f"{both}, where {limit:g} s are allowed")
        return verdicts.passed()
    if not ending.report.startswith(start):
        raise SandboxFailureError(f"exit code {ending.exit_code}: {ending.report}")
    lost = ending.report == f"{start}{nonce} LOST\n"
    if ending.exit_code == -signal.SIGALRM and not lost:
        return None
    # Whoever blocks SIGXCPU is killed a second later.
    killed = ending.exit_code == -signal.SIGKILL and ending.cpu_seconds + 1 > ABOUT * limit
    if not killed and -ending.exit_code in _FROM_OUTSIDE:
        raise SandboxFailureError(_describe(ending.exit_code))
    if killed or ending.exit_code == -signal.SIGXCPU:
        return verdicts.not_passed("test_timeout", f"still running after {limit:g} s")
    said = ending.message[:STDERR_LIMIT]
    failure = re.fullmatch(rf"{nonce} FAIL (\w+) (\S+)\n", ending.report[len(start) :])
    if ending.exit_code != 0 and failure:
        kind, test = failure.groups()
        if kind == "assertion":
            return verdicts.not_passed("assertion_failure", f"{test} failed", said)
        details = {
            "canary": "comparisons were tampered with",
            "nonsense": "answered a call with no result of the type asked for",
        }
        return verdicts.not_passed("runtime_error", details.get(kind, f"{test} panicked"), said)
    return verdicts.not_passed("runtime_error", _describe(ending.exit_code), said)


def _describe(exit_code: int) -> str:
    if exit_code < 0:
        return f"ended by signal {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code} before its tests were done"
