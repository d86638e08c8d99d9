"""Run an answer in Python, in a process of its own: read a job from standard input as JSON, write
what came of it to standard output as JSON.

A job has `source`, the Python of an answer, and either `record`, the name of the function whose
arguments its `check` is to show, or `calls`, pairs of a function's name and its arguments. Steps
are counted and not seconds, so that the same is too slow on every machine.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from types import CodeType
from typing import Any

STEPS = 100_000
_TOOL = sys.monitoring.PROFILER_ID
_EVENTS = sys.monitoring.events.LINE | sys.monitoring.events.JUMP | sys.monitoring.events.PY_START


class TooManyStepsError(BaseException):
    """No Exception, so that few answers catch it."""


class _Counter:
    taken = 0

    def count(self, code: CodeType, *_: object) -> None:
        if code.co_filename != __file__:
            self.taken += 1
            if self.taken > STEPS:
                raise TooManyStepsError


def recorded(source: str, name: str) -> list[list[Any]]:
    """The arguments with which the `check` in `source` calls a function that it is given."""
    random.seed(1)  # some draw them
    space: dict[str, Any] = {}
    exec(source, space)  # noqa: S102 - pinned by hash
    calls: list[list[Any]] = []

    def recorder(*arguments: Any) -> Any:
        calls.append(copy.deepcopy(list(arguments)))
        return space[name](*arguments)

    space["check"](recorder)
    return calls


def called(source: str, calls: list[tuple[str, list[Any]]]) -> list[Any]:
    """For each call a list with what it returned; None where it raised or took too long."""
    space: dict[str, Any] = {}
    exec(source, space)  # noqa: S102 - pinned by hash
    counter = _Counter()
    sys.monitoring.use_tool_id(_TOOL, "steps")
    for event in (1 << bit for bit in range(32) if _EVENTS >> bit & 1):
        sys.monitoring.register_callback(_TOOL, event, counter.count)
    return [_called(space[name], arguments, counter) for name, arguments in calls]


def _called(function: Any, arguments: list[Any], counter: _Counter) -> list[Any] | None:
    counter.taken = 0
    sys.monitoring.set_events(_TOOL, _EVENTS)
    try:
        result = function(*arguments)
    except (Exception, TooManyStepsError):  # noqa: BLE001 - it may raise anything
        return None
    finally:
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.NO_EVENTS)
    if counter.taken > STEPS:
        return None
    told = [[[k, v] for k, v in result.items()] if isinstance(result, dict) else result]
    try:
        json.dumps(told)
    except (TypeError, ValueError):  # a number with thousands of digits, say
        return None
    return told


def main() -> None:
    job = json.load(sys.stdin)
    if "record" in job:
        answer: list[Any] = recorded(job["source"], job["record"])
    else:
        answer = called(job["source"], job["calls"])
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
