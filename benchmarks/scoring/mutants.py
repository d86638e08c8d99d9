"""Mutants: reference answers changed a little, to see whether tests notice.

Which changes there are follows from a reference answer alone, so everybody has the same. They are
divided in two halves: inputs may be chosen by the first, and how much tests notice is measured on
the second.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from mutations import Mutation, deletions, mutations, negations

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import Problem

# How many pairs of changes are tried in each problem.
PAIRS = 20
_SINGLE: dict[str, Callable[[bytes], Iterator[Mutation]]] = {
    "operator": mutations,
    "deletion": deletions,
    "negation": negations,
}
ALL = (*_SINGLE, "pair")


@dataclass(frozen=True)
class Mutant:
    """A changed reference answer.

    `kind` is one of ALL. `change` is what a reader needs to find it: each changed line's number,
    and the line as it was and as it is.
    """

    kind: str
    change: str
    program: Program


def mutants(problem: Problem, kinds: Collection[str] = ALL) -> list[Mutant]:
    """The mutants of a problem's reference answer, each program once, always in the same order.

    They need not compile, and some mean the same as the reference answer.
    """
    source = reference_source(problem).encode()
    singles = {kind: list(changes(source)) for kind, changes in _SINGLE.items()}
    changes: list[tuple[str, Sequence[Mutation]]] = [
        *((kind, [one]) for kind in singles for one in singles[kind]),
        *(("pair", pair) for pair in _pairs(singles["operator"], problem.task_id)),
    ]
    found: dict[str, Mutant] = {}
    for kind, parts in changes:
        code = source
        for part in reversed(parts):
            code = part.apply(code)
        program = Program(problem, code.decode())
        if kind in kinds and program.code not in found:
            change = "; ".join(_shown(source, part) for part in parts)
            found[program.code] = Mutant(kind, change, program)
    return list(found.values())


def for_choice(mutant: Mutant) -> bool:
    """Whether inputs may be chosen by this mutant; about half of them, by their code."""
    return hashlib.sha256(mutant.program.code.encode()).digest()[0] % 2 == 0


def _pairs(singles: Sequence[Mutation], seed: str) -> list[tuple[Mutation, Mutation]]:
    """Up to PAIRS of changes in different places, the earlier one first."""
    pairs = [(one, two) for one, two in combinations(singles, 2) if one.end <= two.start]
    return random.Random(seed).sample(pairs, min(PAIRS, len(pairs)))


def _shown(source: bytes, change: Mutation) -> str:
    """`line 3: a < b -> a <= b`; where whole lines are gone, the first and last of them."""
    first = source.rfind(b"\n", 0, change.start) + 1
    last = (source + b"\n").index(b"\n", change.end)
    new = source[first : change.start] + change.new.encode() + source[change.end : last]
    lines = source[first:last].decode().strip().split("\n")
    old = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1].strip()}"
    number = source.count(b"\n", 0, change.start) + 1
    return f"line {number}: {old} -> {new.decode().strip() or '(nothing)'}"
