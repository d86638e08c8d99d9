"""A program: an answer's code together with the problem whose tests judge it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sigil_eval.files import sha256_text
from sigil_eval.problems import Problem

# Raised when the same code and tests may get another verdict: it parts old verdicts from new ones.
PROTOCOL = 5


@dataclass(frozen=True)
class Program:
    """Extracted code together with the problem whose tests judge it."""

    problem: Problem
    code: str

    @cached_property
    def sha256(self) -> str:
        """The identity under which a program is judged once, however often it was sampled."""
        problem = self.problem
        parts = [problem.task_id, problem.prompt, problem.test, problem.prelude, problem.edition]
        parts += [problem.plus] if problem.plus else []
        return sha256_text("\0".join([str(PROTOCOL), *parts, *problem.crates, self.code]))
