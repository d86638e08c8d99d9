"""Problems by the names that other tools have for them, where there is no doubt which is meant."""

from __future__ import annotations

import re
from collections import defaultdict

from sigil_eval.errors import quoted
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.samples.unfit import UnfitError

# HumanEval/0, HumanEval_0, HumanEval_0_has_close_elements, Rust/0.
_NUMBERED = re.compile(r"([A-Za-z]+)[/_-]([0-9]{1,9})(?:_([A-Za-z0-9_]+))?")
# HumanEval-X calls the problems of HumanEval after the language.
_ALSO = {"rust": "humaneval"}


class TaskNames:
    """The task ids of a problem set; `respelled` are those that were given otherwise."""

    def __init__(self, problem_set: ProblemSet) -> None:
        self._set = problem_set
        self._by_number: defaultdict[tuple[str, int], list[Problem]] = defaultdict(list)
        for problem in problem_set.problems:
            if match := _NUMBERED.fullmatch(problem.task_id):
                self._by_number[match[1].lower(), int(match[2])].append(problem)
        self._prefixes = {prefix for prefix, _ in self._by_number}
        self.respelled: dict[str, str] = {}

    def find(self, spelling: object) -> str:
        """The task id that is meant. Raises UnfitError where there is none, or more than one."""
        if not isinstance(spelling, str):
            raise UnfitError("field 'task_id' is missing or not a string")
        if spelling in self._set.by_id:
            return spelling
        if spelling not in self.respelled:
            self.respelled[spelling] = self._meant(spelling)
        return self.respelled[spelling]

    def _meant(self, spelling: str) -> str:
        match = _NUMBERED.fullmatch(spelling)
        prefix = match[1].lower() if match else ""
        if prefix not in self._prefixes:
            prefix = _ALSO.get(prefix, prefix)
        found = self._by_number.get((prefix, int(match[2])), []) if match else []
        if match is None or not found:
            raise UnfitError(
                f"task_id {quoted(spelling)} is not in the problem set '{self._set.name}' "
                "(sigil-eval problems lists them)"
            )
        if len(found) > 1:
            several = " and ".join(problem.task_id for problem in found[:3])
            raise UnfitError(f"task_id {quoted(spelling)} may be {several}")
        self._check_name(spelling, match[3], found[0])
        return found[0].task_id

    def _check_name(self, spelling: str, name: str | None, problem: Problem) -> None:
        """A name behind the number must not be that of another problem's function."""
        others = {p.entry_point: p for p in self._set.problems if p.entry_point == name}
        if name in others and others[name] is not problem and name != problem.entry_point:
            raise UnfitError(
                f"task_id {quoted(spelling)} has the number of {problem.task_id} and the name of "
                f"{others[name].task_id}"
            )
