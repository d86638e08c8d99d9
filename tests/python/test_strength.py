"""How much tests notice, and the changes that are known to leave the meaning as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from strength import EQUIVALENT, equivalents, held_out, measured

from sigil_eval.problems import PINNED_SETS, Problem, ProblemSet, load_problem_set

PROBLEM = Problem(
    task_id="Own/0",
    prompt="fn larger(a: i32, b: i32) -> i32 {\n",
    canonical_solution="    if a < b { b } else { a }\n}\n",
    test="#[test]\nfn both() { assert_eq!(larger(1, 2), 2); assert_eq!(larger(2, 1), 2); }\n",
    entry_point="larger",
)
SET = ProblemSet("own", (PROBLEM,), "", "")
SAME = ("Own/0", "line 2: if a < b { b } else { a } -> if a <= b { b } else { a }")


def test_what_is_known_to_be_equivalent_is_told_from_what_tests_miss() -> None:
    blind = replace(
        PROBLEM,
        test="#[test]\nfn equal() { assert_eq!(larger(1, 1), 1); }\n",
        plus="#[test]\nfn both() { assert_eq!(larger(1, 2), 2); }\n",
    )
    alone, with_plus = measured(ProblemSet("own", (blind,), "", "", plus_sha256="0"), {SAME: ""})
    assert [one.change for one in (*alone.equivalent, *with_plus.equivalent)] == [SAME[1], SAME[1]]
    assert (alone.name, alone.share, len(alone.survivors)) == ("own", 0.0, 1)
    assert alone.weak == ["Own/0 (0 of 1)"]
    assert (with_plus.name, with_plus.share, with_plus.weak) == ("own-plus", 1.0, [])


def test_a_change_that_is_noticed_is_not_equivalent() -> None:
    noticed = next(one for one in held_out(SET) if one.kind == "negation")
    with pytest.raises(ValueError, match="not equivalent, but noticed"):
        measured(SET, {("Own/0", noticed.change): ""})


def test_each_that_is_known_to_be_equivalent_is_there_and_says_why() -> None:
    every = {
        (mutant.program.problem.task_id, mutant.change)
        for name in PINNED_SETS
        for mutant in held_out(load_problem_set(name))
    }
    known = equivalents()
    assert known.keys() <= every
    assert all(reason.endswith(".") for reason in known.values())
    assert len(known) == len(json.loads(EQUIVALENT.read_text(encoding="utf-8"))["equivalent"])
