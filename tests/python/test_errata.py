"""Each erratum is what it says: the prompt's words, what shows it, and what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import errata_page
from sigil_eval.answers.program import Program
from sigil_eval.errors import UsageError
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import PINNED_SETS, Problem, ProblemSet, load_problem_set, sets

NAMES = list(PINNED_SETS)
AGAINST_THE_PROMPT = (33, 65, 87, 103)
"""The problems of humaneval-rust whose published tests contradict the prompt."""


def _shown(problem_set: ProblemSet) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    for erratum in problem_set.errata:
        for evidence in erratum.get("shown_by", ()):
            for task_id in erratum.get("task_ids") or [erratum["task_id"]]:
                yield dict(erratum), task_id, evidence


def _asks(problem: Problem, call: str, expected: str) -> Problem:
    """The problem with one test: that a call gives what `expected` is in Debug's form."""
    head = "#[should_panic]" if expected == "panics" else ""
    body = f'let shown = format!("{{:?}}", {call});'
    if expected != "panics":
        text = expected.replace('"', '\\"')
        body += f' assert_eq!(shown, "{text}");'
    test = f"mod tests {{ use super::*; #[test] {head} fn shows() {{ {body} }} }}"
    return replace(problem, test=f"#[cfg(test)]\n{test}\n")


@pytest.mark.parametrize("name", NAMES)
def test_the_prompt_says_what_an_erratum_quotes(name: str) -> None:
    problem_set = load_problem_set(name)
    quoting = [e for e in problem_set.errata if "prompt_says" in e]
    assert quoting
    for erratum in quoting:
        for task_id in erratum.get("task_ids") or [erratum["task_id"]]:
            prompt = problem_set.published_by_id[task_id].prompt
            flat = " ".join(line.removeprefix("//").strip() for line in prompt.splitlines())
            assert " ".join(erratum["prompt_says"].split()) in " ".join(flat.split()), task_id


@pytest.mark.parametrize("name", NAMES)
def test_what_shows_an_erratum_is_so(judge: Judge, name: str) -> None:
    """The reference answer as published gives what it is said to give, and mended the right."""
    problem_set = load_problem_set(name)
    programs: dict[Program, str] = {}
    for _, task_id, evidence in _shown(problem_set):
        mended, call = problem_set.by_id[task_id], evidence["call"]
        votes = evidence["votes"]
        assert set(votes) == {"original", "evalplus", "poly-humaneval", "reference"}
        assert votes["reference"] != evidence["right"]
        published = replace(
            mended, canonical_solution=_solution_before(problem_set, task_id), prompt=mended.prompt
        )
        for problem, said in ((mended, evidence["right"]), (published, votes["reference"])):
            program = Program(_asks(problem, call, said), reference_source(problem))
            programs[program] = f"{task_id}: {call} gives {said}"
    assert len(programs) >= 5
    verdicts = dict(judge.judge(list(programs)))
    wrong = [label for program, label in programs.items() if not verdicts[program].passed]
    assert wrong == []


def _solution_before(problem_set: ProblemSet, task_id: str) -> str:
    """The reference answer as published, taken out of the file that some rows hold whole."""
    text = problem_set.published_by_id[task_id].canonical_solution
    _, begin, rest = text.partition("    // BEGIN_CANONICAL_SOLUTION\n")
    return rest.partition("\n\n// END_CANONICAL_SOLUTION")[0] + "\n" if begin else text


def test_right_answers_pass_and_answers_by_the_old_tests_fail(
    judge: Judge, humaneval: ProblemSet
) -> None:
    programs: dict[Program, bool] = {}
    for number in AGAINST_THE_PROMPT:
        problem = humaneval.by_id[f"HumanEval/{number}"]
        published = humaneval.published_by_id[problem.task_id]
        for answer, right in ((problem, True), (published, False)):
            code = reference_source(answer)
            programs[Program(problem, code)] = right
            programs[Program(replace(published, prelude=problem.prelude), code)] = not right
    verdicts = dict(judge.judge(list(programs)))
    found = {program: verdicts[program].passed for program in programs}
    assert found == programs
    assert all(verdicts[program].compile_ok for program in programs)


@pytest.mark.parametrize(
    ("rounds", "passes"),
    [
        ("((n + m) as f64 / 2.0).round()", True),  # a tie goes up
        ("((n + m) as f64 / 2.0).round_ties_even()", True),
        ("((n + m) as f64 / 2.0).floor()", False),
        ("((n + m) as f64 / 2.0).ceil() - if n == 7 { 1.0 } else { 0.0 }", False),
    ],
)
def test_an_average_may_be_rounded_in_either_way_and_is_rounded(
    judge: Judge, humaneval: ProblemSet, rounds: str, passes: bool
) -> None:
    code = (
        "fn rounded_avg(n: i32, m: i32) -> String {\n"
        '    if n > m { return "-1".to_string(); }\n'
        f'    format!("{{:b}}", ({rounds}) as i32)\n}}\n'
    )
    ((_, verdict),) = judge.judge([Program(humaneval.by_id["HumanEval/103"], code)])
    assert (verdict.passed, verdict.compile_ok) == (passes, True), verdict.detail


CHANGES_NOTHING = "fn encode_{0}(s: &str) -> String {{ s.to_string() }}\n"
REVERSES = "fn encode_{0}(s: &str) -> String {{ s.chars().rev().collect() }}\n"
SHIFTS = (
    "fn moved(s: &str, by: u8) -> String {\n"
    "    s.bytes().map(|c| { let a = if c < b'a' { b'A' } else { b'a' };\n"
    "        ((c - a + by) % 26 + a) as char }).collect()\n}\n"
    "fn encode_shift(s: &str) -> String { moved(s, BY) }\n"
    "fn decode_shift(s: &str) -> String { moved(s, 26 - BY) }\n"
)


def _both(encoder: str, name: str) -> str:
    written = encoder.format(name)
    return written + written.replace("encode_", "decode_")


@pytest.mark.parametrize(
    ("number", "code", "passes"),
    [
        (38, _both(CHANGES_NOTHING, "cyclic"), False),
        (38, _both(REVERSES, "cyclic"), False),
        (50, _both(CHANGES_NOTHING, "shift"), False),
        (50, _both(REVERSES, "shift"), False),
        (50, SHIFTS.replace("BY", "5"), True),
        (50, SHIFTS.replace("BY", "4"), False),
    ],
)
def test_an_encoder_of_ones_own_does_not_pass(
    judge: Judge, humaneval: ProblemSet, number: int, code: str, passes: bool
) -> None:
    ((_, verdict),) = judge.judge([Program(humaneval.by_id[f"HumanEval/{number}"], code)])
    assert (verdict.passed, verdict.compile_ok) == (passes, True), verdict.detail


def test_prompts_that_were_another_problems_ask_for_what_is_tested(humaneval: ProblemSet) -> None:
    for number, other, words in [
        (45, 71, "length of a side and high"),
        (88, 116, "sum( first index value, last index value) is odd"),
        (133, 142, "round each element in the list to the upper int"),
    ]:
        task = f"HumanEval/{number}"
        published, mended = humaneval.published_by_id[task].prompt, humaneval.by_id[task].prompt
        begins = published.rpartition("\nfn ")[0]
        # The published comment of 133 begins with a quotation mark on a line of its own.
        theirs = humaneval.by_id[f"HumanEval/{other}"].prompt.rpartition("\nfn ")[0]
        assert begins.removeprefix('// "\n') == theirs.removeprefix('// "\n')
        assert words in " ".join(mended.replace("//", "").split())
        assert published.rpartition("\nfn ")[2] == mended.rpartition("\nfn ")[2]


def test_four_problems_are_flagged(humaneval: ProblemSet) -> None:
    assert humaneval.flagged == [f"HumanEval/{number}" for number in (10, 32, 38, 50)]


@pytest.mark.parametrize("name", NAMES)
def test_changed_errata_are_not_the_pinned_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = PINNED_SETS[name]
    assert load_problem_set(name).errata_sha256 == pin.errata_sha256
    monkeypatch.setitem(sets.PINNED_SETS, name, replace(pin, errata_sha256="0" * 64))
    with pytest.raises(UsageError, match=rf"{name}.errata.json: sha256 is [0-9a-f]+, but 0+ is"):
        load_problem_set(name)


def test_the_page_of_errata_is_made_of_their_files() -> None:
    assert errata_page.PAGE.read_text(encoding="utf-8") == errata_page.page()
