"""Mutants of reference answers, and which cases notice them, in the judge's own sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kill_matrix import KillMatrix
from mutants import PAIRS, Mutant, for_choice, mutants

from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import Problem, ProblemSet

PROBLEM = Problem(
    task_id="Own/0",
    prompt="fn sum_to(n: i32) -> i32 {\n",
    canonical_solution="    let mut sum = 0;\n    let mut i = 0;\n    while i < n {\n"
    "        i += 1;\n        sum += i;\n    }\n    if n > 9 {\n        sum += 0;\n    }\n"
    "    sum\n}\n",
    test="#[test]\nfn small() { assert_eq!(sum_to(3), 6); }\n",
    entry_point="sum_to",
)
CASES = [
    "assert_eq!(sum_to(0), 0);",
    "assert_eq!(sum_to(3), 6);",
    "assert_eq!(sum_to(12), sum_of(12));",
]
HELPERS = "fn sum_of(n: i32) -> i32 { n * (n + 1) / 2 }"


@pytest.fixture(scope="module")
def matrix() -> Iterator[KillMatrix]:
    with KillMatrix() as started:
        yield started


def changes_of(problem: Problem, *kinds: str) -> list[str]:
    return [mutant.change for mutant in mutants(problem, kinds)]


def test_statements_are_left_out_and_conditions_turned_round() -> None:
    assert changes_of(PROBLEM, "deletion") == [
        "line 4: while i < n { … } -> (nothing)",
        "line 5: i += 1; -> (nothing)",
        "line 6: sum += i; -> (nothing)",
        "line 8: if n > 9 { … } -> (nothing)",
        "line 9: sum += 0; -> (nothing)",
    ]
    assert changes_of(PROBLEM, "negation") == [
        "line 4: while i < n { -> while !(i < n) {",
        "line 8: if n > 9 { -> if !(n > 9) {",
    ]


def test_a_condition_is_not_turned_round_where_an_operator_does_the_same() -> None:
    body = "    if n == 0 || n == 1 {} if n == 2 {} if !(n > 3) {} if let 4 = n {}\n    n\n}\n"
    problem = Problem("Own/1", PROBLEM.prompt, body, PROBLEM.test, "sum_to")
    changed = [mutant.program.code for mutant in mutants(problem, ["negation"])]
    assert changed == [reference_source(problem).replace("n == 0 || n == 1", "!(n == 0 || n == 1)")]


def test_the_message_of_a_panic_is_not_changed() -> None:
    body = '    "7".parse::<i32>().expect("a number") + n\n}\n'
    problem = Problem("Own/6", PROBLEM.prompt, body, PROBLEM.test, "sum_to")
    changes = changes_of(problem, "operator")
    assert any('"7~"' in change for change in changes)
    assert not any('"a number~"' in change for change in changes)


def test_pairs_are_two_changes_in_one_program() -> None:
    pairs = mutants(PROBLEM, ["pair"])
    assert len(pairs) == PAIRS
    assert all("; line " in pair.change for pair in pairs)
    assert mutants(PROBLEM, ["pair"]) == pairs


def test_no_program_is_a_mutant_twice_and_none_is_the_reference(humaneval: ProblemSet) -> None:
    for problem in humaneval.problems[:40]:
        codes = [mutant.program.code for mutant in mutants(problem)]
        assert len({*codes, reference_source(problem)}) == len(codes) + 1


def test_about_half_of_the_mutants_are_for_choice(humaneval: ProblemSet) -> None:
    every = [mutant for problem in humaneval.problems for mutant in mutants(problem)]
    assert 0.47 < sum(map(for_choice, every)) / len(every) < 0.53


def by_change(noticed: dict[Mutant, set[int]]) -> dict[str, set[int]]:
    return {mutant.change: cases for mutant, cases in noticed.items() if mutant.kind != "pair"}


def test_which_cases_notice_which_mutants(matrix: KillMatrix) -> None:
    noticed = by_change(matrix.noticed(PROBLEM, CASES, mutants(PROBLEM), HELPERS))
    assert noticed["line 4: while i < n { -> while i <= n {"] == {0, 1, 2}
    assert noticed["line 6: sum += i; -> sum -= i;"] == {1, 2}
    assert noticed["line 9: sum += 0; -> sum += 1;"] == {2}
    assert noticed["line 9: sum += 0; -> (nothing)"] == set()
    # Endless, where there is anything to add.
    assert noticed["line 5: i += 1; -> (nothing)"] == {1, 2}


def test_what_does_not_compile_is_no_mutant(matrix: KillMatrix) -> None:
    body = "    if n > 0 { return 1; }\n    return 0;\n}\n"
    problem = Problem("Own/2", PROBLEM.prompt, body, PROBLEM.test, "sum_to")
    noticed = by_change(matrix.noticed(problem, ["assert_eq!(sum_to(1), 1);"], mutants(problem)))
    assert "line 3: return 0; -> (nothing)" in changes_of(problem, "deletion")
    assert "line 3: return 0; -> (nothing)" not in noticed
    assert noticed["line 2: if n > 0 { return 1; } -> if n > 0 {  }"] == {0}


def test_a_mutant_that_ends_its_process_is_noticed_and_left_after_three(
    matrix: KillMatrix,
) -> None:
    body = "    if n == 0 { return 0; }\n    n + sum_to(n - 1)\n}\n"
    problem = Problem("Own/3", PROBLEM.prompt, body, PROBLEM.test, "sum_to")
    cases = [f"assert_eq!(sum_to({n}), {n * (n + 1) // 2});" for n in (0, 1, 2, 3, 4)]
    noticed = by_change(matrix.noticed(problem, cases, mutants(problem)))
    assert noticed["line 3: n + sum_to(n - 1) -> n + sum_to(n + 1)"] == {1, 2, 3}


def test_the_order_of_a_hash_map_is_the_same_in_every_run(matrix: KillMatrix) -> None:
    body = (
        "    let set: std::collections::HashSet<i32> = (0..n).collect();\n"
        "    set.into_iter().next().unwrap_or(-1) * 0\n}\n"
    )
    problem = Problem("Own/4", PROBLEM.prompt, body, PROBLEM.test, "sum_to")
    changed = [m for m in mutants(problem, ["operator"]) if m.change.endswith("unwrap_or(-1) + 0")]
    cases = [f"assert_eq!(sum_to(99) % 100 * 0 + sum_to({n}) % 2, 0);" for n in range(50, 80)]
    first = matrix.noticed(problem, cases, changed)
    assert 0 < len(first[changed[0]]) < len(cases)
    assert matrix.noticed(problem, cases, changed) == first


def test_types_of_the_prompts_own(matrix: KillMatrix) -> None:
    problem = Problem(
        task_id="Own/5",
        prompt="#[derive(Debug, PartialEq)]\nenum Sign { Minus, Plus }\n"
        "fn sign(n: i32) -> Sign {\n",
        canonical_solution="    if n < 0 { Sign::Minus } else { Sign::Plus }\n}\n",
        test="#[test]\nfn zero() { assert_eq!(sign(0), Sign::Plus); }\n",
        entry_point="sign",
    )
    cases = ["assert_eq!(sign(0), Sign::Plus);", "assert_eq!(sign(-5), Sign::Minus);"]
    noticed = by_change(matrix.noticed(problem, cases, mutants(problem)))
    assert set(map(frozenset, noticed.values())) == {frozenset({0}), frozenset({0, 1})}


def test_a_case_that_is_wrong_is_an_error(matrix: KillMatrix) -> None:
    with pytest.raises(ValueError, match=r"Own/0: the reference answer fails: .*sum_to\(3\), 7"):
        matrix.noticed(PROBLEM, ["assert_eq!(sum_to(3), 7);"], mutants(PROBLEM))
    with pytest.raises(ValueError, match=r"(?s)Own/0: .*mismatched types.*sum_to\(true\)"):
        matrix.noticed(PROBLEM, ["assert_eq!(sum_to(true), 7);"], mutants(PROBLEM))
