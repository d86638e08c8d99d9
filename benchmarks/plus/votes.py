"""Which inputs the oracles agree on: what is in the contract, answered by all, and by all alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import python_oracle
from kinds import MisfitError, kind_of, same
from oracles import Oracles
from rust_oracle import RustAnswer, RustOracles, signatures
from targets import Target, fitted_all

from sigil_eval.judging.contract import reference_source

_POLY_PRELUDE = (
    "use std::any::Any; use std::cmp::*; use std::collections::*; use std::fmt; use std::iter::*;"
)
# A list with what was returned; None where nothing was.
_Said = list[Any] | None
REFERENCE_DIFFERS = "the reference differs"
FEWEST = 2
"""How many oracles must agree, besides the reference answer."""


@dataclass(frozen=True)
class Case:
    """Arguments, what the oracles say of them, and how many of them said it."""

    target: Target
    arguments: list[Any]
    expected: Any
    votes: int


@dataclass(frozen=True)
class Vote:
    """The cases that all agree on; and of the other inputs what each voter said, by the reason for
    which they are dropped."""

    cases: list[Case]
    dropped: dict[str, list[tuple[list[Any], dict[str, _Said]]]]


def vote(target: Target, inputs: Sequence[list[Any]], oracles: Oracles, rust: RustOracles) -> Vote:
    """Ask all oracles, and the reference answer, about inputs that fit the target's types."""
    task_id = target.task_id
    ask = {
        "original": partial(_in_python, oracles.original[task_id]),
        "evalplus": partial(_in_python, oracles.evalplus[task_id]),
        "poly": partial(_in_rust, oracles.poly[task_id], rust),
    }
    said = {name: one(target, inputs) for name, one in ask.items() if name not in target.without}
    assert len(said) >= FEWEST
    said["reference"] = _reference(rust, target, inputs)
    found = Vote([], defaultdict(list))
    for number, values in enumerate(inputs):
        words = {name: column[number] for name, column in said.items()}
        first, *others = words.values()
        if fault := _fault(target, values, words):
            found.dropped[fault].append((values, words))
        elif first is not None:
            found.cases.append(Case(target, values, first[0], len(others)))
    return found


def _fault(target: Target, values: list[Any], words: dict[str, _Said]) -> str:
    """Why an input is not kept; empty where all say the same. The last word is the reference's."""
    *given, own = words.values()
    results = [one[0] for one in given if one is not None]
    if len(results) < len(given):
        return "an oracle gives nothing"
    if not all(_agree(target, values, results[0], other) for other in results):
        return "oracles differ"
    if own is None or not _agree(target, values, results[0], own[0]):
        return REFERENCE_DIFFERS
    return ""


def _agree(target: Target, values: list[Any], one: Any, other: Any) -> bool:
    if target.root:
        return all(abs(_value_at(values[0], x)) <= target.tolerance for x in (one, other))
    within = target.within(one) if target.returns.is_float else 0.0
    return same(one, other, target.returns, within)


def _value_at(coefficients: list[float], x: float) -> float:
    return sum(c * x**power for power, c in enumerate(coefficients))


def _in_python(row: dict[str, Any], target: Target, inputs: Sequence[list[Any]]) -> list[_Said]:
    name = target.function if target.named else row["entry_point"]
    calls = [(name, target.to_oracle(values)) for values in inputs]
    return [_told(one, target.from_oracle) for one in python_oracle.call(row, calls)]


def _in_rust(
    source: str, rust: RustOracles, target: Target, inputs: Sequence[list[Any]]
) -> list[_Said]:
    known = signatures(source)
    signature = known[target.function if target.named else list(known)[-1]]
    kinds = tuple(kind_of(kind) for _, kind in signature.parameters)
    crates = ("regex",) if "Regex" in source else ()
    prelude = _POLY_PRELUDE + "".join(f"use {crate}::*;" for crate in crates)
    calls: dict[int, list[Any]] = {}
    for number, values in enumerate(inputs):
        with suppress(MisfitError):
            calls[number] = fitted_all(target.to_oracle(values), kinds)
    answer = RustAnswer(source, prelude, crates, signature.name, kinds)
    said = dict(zip(calls, rust.call(answer, [*calls.values()]), strict=True))
    return [_told(said.get(number), target.from_oracle) for number in range(len(inputs))]


def _reference(rust: RustOracles, target: Target, inputs: Sequence[list[Any]]) -> list[_Said]:
    problem = target.problem
    source = f"{reference_source(problem)}\n{target.glue}"
    answer = RustAnswer(source, problem.prelude, problem.crates, target.function, target.kinds)
    return [_told(one, target.fit_result) for one in rust.call(answer, inputs)]


def _told(one: _Said, read: Callable[[Any], Any]) -> _Said:
    """What a result is in the set's terms; None where it is nothing of that type."""
    try:
        return None if one is None else [read(one[0])]
    except (MisfitError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
