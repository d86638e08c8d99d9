"""Answers in several parts, and with parts that nobody asked for: what the program is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigil_eval.answers.policy import find_violations
from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.scoring.reading import extract_answer

ADD = Problem(
    task_id="Own/add",
    prompt="// Add two numbers x and y\nfn add(x:i32, y:i32) -> i32{\n",
    canonical_solution="    return x + y;\n}\n",
    test="#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn test_add() {\n"
    "        assert_eq!(add(2, 3), 5);\n        assert_eq!(add(-7, 3), -4);\n    }\n}\n",
    entry_point="add",
)


def _answers() -> dict[str, tuple[str, str, str]]:
    """Task, expectation and answer by the title in the `//~` line before each."""
    file = Path(__file__).parent / "data" / "answers_assembled.txt"
    found = {}
    for part in file.read_text(encoding="utf-8").split("//~ ")[1:]:
        head, _, text = part.partition("\n")
        title, task, expected = head.split(" | ")
        found[title] = (task, expected, text.removesuffix("\n"))
    return found


ANSWERS = _answers()


@pytest.fixture(scope="module")
def passed(humaneval: ProblemSet, judge: Judge) -> dict[str, tuple[bool, bool, str]]:
    """Whether each answer passes, whether it does under the policy, and what was judged."""
    programs = {}
    for title, (task, _, text) in ANSWERS.items():
        problem = ADD if task == ADD.task_id else humaneval.by_id[task]
        code = extract_answer(problem, text).code
        if code is not None:
            programs[title] = Program(problem, code)
    verdicts = dict(judge.judge(list(dict.fromkeys(programs.values()))))
    return {
        title: (
            verdicts[program].passed,
            verdicts[program].passed and not find_violations(program.code, program.problem.crates),
            f"{program.code}\n{verdicts[program].detail}",
        )
        for title, program in programs.items()
    }


@pytest.mark.parametrize("title", ANSWERS)
def test_an_answer_is_judged_as_a_reader_would(
    title: str, passed: dict[str, tuple[bool, bool, str]]
) -> None:
    expected = {"passed": (True, True), "policy": (True, False), "failed": (False, False)}
    *found, shown = passed[title]
    assert tuple(found) == expected[ANSWERS[title][1]], shown
