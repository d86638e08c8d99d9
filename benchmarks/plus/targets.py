"""What is asked of which function: a target is a function of a problem that the cases call.

problems.toml says for each which inputs the problem's words cover, and how its answers compare.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any

from contracts import VOCABULARY
from kinds import Kind, MisfitError, fitted, kind_of
from rust_oracle import Signature, signatures

from sigil_eval.errors import UsageError
from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import Problem

WORDS = Path(__file__).with_name("problems.toml")
_KEYS = {
    *("why", "holds", "make", "seeds", "without"),
    *("result", "arguments", "tolerance", "root", "glue"),
}


@dataclass(frozen=True)
class Target:
    """A function that cases call, with the problem's words about it.

    `holds` is the contract, over the names of the parameters, and `why` its reason; `seeds` are
    inputs besides those of the original tests; `without` names oracles that have no vote, each
    with its reason. `result` turns what an oracle returns (`r`) into what this set's tests expect,
    and `arguments` the arguments (`a`) into the oracle's. `root` says that the result is judged by
    what it solves.
    """

    problem: Problem
    function: str
    named: bool
    signature: Signature
    why: str
    holds: str = "True"
    make: str = ""
    seeds: tuple[list[Any], ...] = ()
    without: dict[str, str] = field(default_factory=dict)
    result: str = "r"
    arguments: str = "a"
    tolerance: float = 0.0
    root: bool = False
    glue: str = ""

    @property
    def task_id(self) -> str:
        return self.problem.task_id

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The types of the parameters."""
        return tuple(kind_of(rust) for _, rust in self.signature.parameters)

    @cached_property
    def returns(self) -> Kind:
        """The type of the result."""
        return kind_of(self.signature.result)

    @cached_property
    def _contract(self) -> CodeType:
        return compile(self.holds, f"{self.task_id}, holds", "eval")

    def admitted(self, values: list[Any]) -> list[Any] | None:
        """The arguments as their types have them; None where they do not, or where the problem's
        words do not cover them."""
        try:
            fitting = fitted_all(values, self.kinds)
        except MisfitError:
            return None
        names = (name for name, _ in self.signature.parameters)
        space = {**VOCABULARY, **dict(zip(names, fitting, strict=True))}
        return fitting if eval(self._contract, space) else None  # noqa: S307 - our own data

    @cached_property
    def _maker(self) -> CodeType:
        return compile(self.make, f"{self.task_id}, make", "eval")

    def made(self, chance: random.Random) -> list[Any]:
        """Arguments by chance that the contract mostly admits."""
        made: list[Any] = eval(self._maker, {**VOCABULARY, "chance": chance})  # noqa: S307
        return made

    @cached_property
    def to_oracle(self) -> Callable[[list[Any]], list[Any]]:
        """What an oracle is given for arguments."""
        code = compile(self.arguments, f"{self.task_id}, arguments", "eval")
        return lambda values: eval(code, {"a": values})  # noqa: S307

    @cached_property
    def from_oracle(self) -> Callable[[Any], Any]:
        """What an oracle's result is in this set's terms. Raises MisfitError."""
        code = compile(self.result, f"{self.task_id}, result", "eval")
        return lambda value: fitted(eval(code, {"r": value}), self.returns)  # noqa: S307

    def fit_result(self, value: Any) -> Any:
        """What the reference answer returned, as its type has it. Raises MisfitError."""
        return fitted(value, self.returns)

    def within(self, expected: Any) -> float:
        """How far floats may be from `expected`."""
        if self.tolerance:
            return self.tolerance
        largest = max(map(abs, expected if isinstance(expected, list) else [expected]), default=0)
        return (1e-4 if "f32" in self.signature.result else 1e-6) * max(1.0, largest)


def fitted_all(values: list[Any], kinds: tuple[Kind, ...]) -> list[Any]:
    """Each value as its type has it. Raises MisfitError, for another number of them, too."""
    if len(values) != len(kinds):
        raise MisfitError(f"{len(values)} arguments")
    return [fitted(value, kind) for value, kind in zip(values, kinds, strict=True)]


def load_targets(problems: tuple[Problem, ...]) -> dict[str, list[Target]]:
    """The targets of each problem, by task_id. Raises UsageError for words that fit none."""
    by_id = {problem.task_id: problem for problem in problems}
    targets: dict[str, list[Target]] = {task_id: [] for task_id in by_id}
    for place, words in tomllib.loads(WORDS.read_text("utf-8")).items():
        task_id, _, named = place.partition(" ")
        if task_id not in by_id:
            raise UsageError(f"{WORDS}: no problem is called {task_id}")
        if unknown := words.keys() - _KEYS:
            raise UsageError(f"{WORDS}: {place} has unknown words: {', '.join(sorted(unknown))}")
        problem = by_id[task_id]
        function = named or problem.entry_point
        found = signatures(reference_source(problem)).get(function)
        if found is None or not words.get("why"):
            raise UsageError(f"{WORDS}: {place} names no function, or does not say why")
        targets[task_id].append(Target(problem, function, bool(named), found, **words))
    if missing := [task_id for task_id, held in targets.items() if not held]:
        raise UsageError(f"{WORDS}: nothing is said of {', '.join(missing)}")
    return targets
