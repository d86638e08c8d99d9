"""Problem files that people have: each is proved as a pinned set is, or says what to do."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sigil_eval.cli import main
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import Row, read_jsonl, write_jsonl
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.crates import Crates
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import (
    PINNED_SETS,
    Problem,
    ProblemSet,
    load_problem_file,
    load_problem_set,
)
from sigil_eval.problems.formats import FORMATS, translated
from sigil_eval.scoring.proof import prove
from sigil_eval.scoring.score import score_files

DATA = Path(__file__).parent / "data" / "problem_files"
FILES = sorted(DATA.glob("*.jsonl"))

PROMPT, BODY = "fn twice(x: i32) -> i32 {\n", "    2 * x\n}\n"
ASSERTS = "assert_eq!(twice(1), 2); assert_eq!(twice(4), 8);"
# Tests of one function, and the tests that are found in them.
TESTS = {
    "crate at the top": (f"#[test] fn t() {{ use crate::twice as twice; {ASSERTS} }}", ["t"]),
    "crate in a macro": (
        "mod tests { #[test] fn t() { assert_eq!(crate::twice(1), 2); "
        "assert!(crate::twice(4) == 8); } }",
        ["tests::t"],
    ),
    "crate in a module of a module": (
        f"mod a {{ pub(crate) mod b {{ use crate::{{twice}}; #[test] fn t() {{ {ASSERTS} }} }} }}",
        ["a::b::t"],
    ),
    "crate of a macro of its own": (
        "macro_rules! both { ($a:expr, $b:expr) => { assert_eq!($crate::twice($a), $b) } }\n"
        "#[test] fn t() { both!(1, 2); both!(4, 8); }",
        ["t"],
    ),
    "crate in words": (
        f'#[test] fn t() {{ assert_eq!("crate::x".len(), 8); /* crate::y */ {ASSERTS} }}',
        ["t"],
    ),
    "visible to some": (
        "mod a { use super::*; "
        f"mod b {{ use super::*; #[test] pub(super) fn t() {{ {ASSERTS} }} }} "
        f"pub(self) mod c {{ use super::*; #[test] pub fn u() {{ {ASSERTS} }} }} }}",
        ["a::b::t", "a::c::u"],
    ),
    "guarded": (
        "#![cfg(test)]\n#[cfg(any(test, windows))] use std::fmt::Debug;\n"
        "#[cfg(all(test, not(windows)))] #[cfg_attr(test, derive(PartialEq, Debug))] "
        "struct Got(i32);\n#[cfg(not(test))] fn main() { oops }\n"
        '#[cfg(feature = "slow")] mod slow { #[test] fn s() {} }\n'
        '#[cfg(feature = "slow")] #[test] fn s() { oops() }\n'
        "#[cfg(test)] mod tests { use super::*; #[cfg(test)] "
        "fn same<T: Debug + PartialEq>(a: T, b: T) { assert!(a == b && cfg!(test)) } "
        "#[test] #[ignore] fn t() { same(Got(twice(1)), Got(2)); "
        "same(Got(twice(4)), Got(8)); } }",
        ["tests::t"],
    ),
    "ü before crate": (
        'mod tests { const U: &str = "ü→"; #[test] fn t() { let _ = U; '
        "assert_eq!(crate::twice(1), 2); assert_eq!(crate::twice(4), 8) } }",
        ["tests::t"],
    ),
}  # fmt: skip
# Reference answers that are the whole function.
WHOLE = {
    "pub(crate)": "pub(crate) fn twice(x: i32) -> i32 { 2 * x }",
    "comment before": "// fn twice(\n/* } */ /// twice\nfn twice(x: i32) -> i32 { 2 * x }",
    "helper before": "fn two() -> i32 { 2 }\nfn twice(x: i32) -> i32 { two() * x }",
    "helper behind": "fn twice(x: i32) -> i32 { two() * x }\nconst fn two() -> i32 { 2 }",
    "constant and attributes": "const TWO: i32 = 2;\n#[must_use]\n#[inline(always)]\n"
    "pub const fn twice(x: i32) -> i32 { TWO * x }",
    "another name": "fn twice(number: i32) -> i32 { 2 * number }",
    "body that names it": "    fn twice(x: i32) -> i32 { 2 * x }\n    twice(x)\n}\n",
    "body with a brace in words": '    let _ = "}"; // }\n    2 * x\n}\n',
}


def problem(name: str, **changes: str) -> Problem:
    test = f"#[test] fn t() {{ {ASSERTS} }}"
    return replace(Problem(name, PROMPT, BODY, test, "twice"), **changes)


def proved(judge: Judge, *problems: Problem) -> None:
    """All of them at once: what is wrong with one is said of it."""
    proof = prove(judge, ProblemSet("people's", problems, "0" * 64, "people"))
    assert proof.scorable == len(problems)


def test_each_file_is_proved(judge: Judge) -> None:
    problems = [
        replace(one, task_id=f"{path.stem}: {one.task_id}")
        for path in FILES
        for one in load_problem_file(path).problems
    ]
    assert len(problems) >= 8
    proved(judge, *problems)


def test_tests_are_proved_however_they_are_written(judge: Judge) -> None:
    proved(judge, *(problem(name, test=test) for name, (test, _) in TESTS.items()))


@pytest.mark.parametrize("name", TESTS)
def test_what_is_built_is_tested_and_nothing_else(name: str) -> None:
    test, paths = TESTS[name]
    contract = contract_of(problem(name, test=test))
    assert [found.path for found in contract.tests] == paths
    assert contract.test_source.count("\n") == test.count("\n")


def test_references_are_proved_however_they_repeat_the_function(judge: Judge) -> None:
    proved(judge, *(problem(name, canonical_solution=text) for name, text in WHOLE.items()))


def test_an_entry_point_is_the_one_of_the_prompt() -> None:
    """What is left out of a row is found where it was."""
    humaneval = load_problem_set("humaneval-rust")
    for known in humaneval.published:
        row = {name: getattr(known, name) for name in ("prompt", "canonical_solution", "test")}
        found, _ = translated({"task_id": known.task_id, **row}, "here")
        assert found == {"task_id": known.task_id, **row, "entry_point": known.entry_point}


def test_a_pinned_set_reads_the_same_as_a_file_of_ones_own() -> None:
    for name in PINNED_SETS:
        for known in load_problem_set(name).problems:
            row = {field.name: getattr(known, field.name) for field in fields(known)}
            row["crates"] = list(known.crates)
            assert translated(dict(row), "here") == (row, "human-eval"), known.task_id


HEADER = (
    "\nfn main(){ \n } \n\nuse std::{slice::Iter, cmp::{max, self}, mem::replace, "
    "collections::{HashSet, HashMap}, ops::Index, ascii::AsciiExt};\nuse rand::Rng;\n"
    "use regex::Regex;\nuse md5;\nuse std::any::{Any, TypeId};\n\n"
)


def humaneval_x(known: Problem, prompt: str) -> Row:
    """A problem of ours in the shape in which HumanEval-X is published."""
    return {
        "task_id": known.task_id,
        "prompt": prompt,
        "declaration": HEADER + known.prompt,
        "canonical_solution": known.canonical_solution,
        "test": known.test,
        "example_test": "None",
    }


def test_of_the_imports_of_humaneval_x_what_is_needed_is_kept() -> None:
    """HumanEvalPack has them in the prompt as well."""
    for known in load_problem_set("humaneval-rust").problems:
        found, name = translated(humaneval_x(known, known.prompt), "here")
        assert (found["entry_point"], name) == (known.entry_point, "HumanEval-X")
        assert (found["crates"], found["prompt"]) == ([*known.crates], known.prompt)
        assert ("rand::Rng" in found["prelude"]) == ("rand" in known.crates)
        packed, _ = translated(humaneval_x(known, HEADER + known.prompt), "here")
        assert (packed["crates"], packed["prelude"]) == (found["crates"], found["prelude"])
        assert "fn main" not in packed["prompt"] and packed["prompt"].endswith(known.prompt)
        assert known.crates or not re.search(r"^use (rand|regex|md5)\b", packed["prompt"], re.M)


def test_humaneval_is_proved_from_rows_of_humaneval_x(tmp_path: Path, judge: Judge) -> None:
    """Those that need crates, with the errata's texts, and some that do not."""
    known = load_problem_set("humaneval-rust").problems
    chosen = [one for index, one in enumerate(known) if one.crates or index % 40 == 0]
    rows = [humaneval_x(one, HEADER * (i % 2) + one.prompt) for i, one in enumerate(chosen)]
    write_jsonl(tmp_path / "x.jsonl", rows)
    assert len(rows) == 10
    proved(judge, *load_problem_file(tmp_path / "x.jsonl").problems)


MULTIPL_E: Row = {
    "name": "HumanEval_3_by_length",
    "language": "rs",
    "prompt": "use std::collections::HashMap;\n\n/// Count the words of a length.\n"
    ">>> by_length(vec![])\nthere's nothing: \"\nfn by_length(words: Vec<String>) "
    "-> HashMap<isize, isize> {\n",
    "tests": "}\n\nfn main() {\n    let candidate = by_length;\n"
    '    assert_eq!(candidate(vec![String::from("a"), String::from("b")]), '
    "HashMap::from([(1, 2)]));\n    assert_eq!(candidate(Vec::<String>::new()), "
    "HashMap::<isize, isize>::new());\n}\n",
    "stop_tokens": ["\n}"],
}
COUNTED = (
    "    let mut found = HashMap::new();\n    for word in words {\n"
    "        *found.entry(word.len() as isize).or_insert(0) += 1;\n    }\n    found"
)


def test_a_completion_ends_where_its_stop_token_stood(tmp_path: Path, judge: Judge) -> None:
    """Tests of MultiPL-E run apart from the answer, as all do."""
    rows = scored(tmp_path, judge, [MULTIPL_E], COUNTED, COUNTED + "\n}", "    HashMap::new()")
    assert [row["outcome"] for row in rows] == ["passed", "passed", "failed"]
    assert {row["error_type"] for row in rows} == {None, "assertion_failure"}
    assert not any(row["one_process"] for row in rows)


def test_a_set_without_reference_answers_says_so(judge: Judge) -> None:
    """Also a function of whose result no constant is known: its tests must compile."""
    boxed = problem("boxed", prompt="fn twice(x: i32) -> Box<i32> {", canonical_solution="")
    boxed = replace(boxed, test="#[test] fn t() { assert_eq!(*twice(1), 2); }")
    plain = problem("plain", canonical_solution=" \n")
    proof = prove(judge, ProblemSet("people's", (boxed, plain), "0" * 64, "people"))
    assert (proof.reference_answers, proof.without_reference) == (0, ("boxed", "plain"))
    assert proof.controls_by_kind == {"todo": 2, "empty": 2, "constant": 2, "mutated": 0}
    assert "2 of 2 problems have no reference answer: that a right answer passes" in "".join(
        proof.lines()
    )
    misspelt = replace(boxed, test=boxed.test.replace("*twice", "*thrice"))
    with pytest.raises(
        PreflightError, match=r"boxed: wrong answer 'todo': failed: the answer"
    ) as e:
        prove(judge, ProblemSet("people's", (misspelt,), "0" * 64, "people.jsonl"))
    assert "Mend these problems in people.jsonl, or take them out" in str(e.value)


def scored(folder: Path, judge: Judge, problems: list[Row], *answers: str) -> list[Row]:
    """The results of answers to the first of some rows of problems."""
    write_jsonl(folder / "problems.jsonl", problems)
    problem_set = load_problem_file(folder / "problems.jsonl")
    task = problem_set.problems[0].task_id
    write_jsonl(folder / "a.jsonl", [{"task_id": task, "completion": text} for text in answers])
    score_files({"a": folder / "a.jsonl"}, problem_set, folder, judge)
    return [row for _, row in read_jsonl(folder / "no-policy" / "a_results.jsonl")]


DOCS = Path(__file__).parents[2] / "docs" / "problem-sets.md"
EXAMPLES: dict[str, Row] = {
    title: json.loads(text)
    for title, text in re.findall(
        r"^### ([^\n]+)\n(?:(?!^#).)*?```json\n(.*?)```", DOCS.read_text(), re.DOTALL | re.MULTILINE
    )
}


def test_every_format_has_its_example_in_the_docs() -> None:
    assert sorted(EXAMPLES) == sorted(one.name for one in FORMATS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_right_and_a_wrong_answer_to_the_example_of_each_format(
    tmp_path: Path, judge: Judge, name: str
) -> None:
    answers = ["    x + y\n}\n", "    x * y\n}\n"]
    if name == "human-eval":
        answers = [
            "    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)\n}",
            "year % 4 == 0 }",
        ]
    rows = scored(tmp_path, judge, [EXAMPLES[name]], *answers)
    assert [row["outcome"] for row in rows] == ["passed", "failed"]
    assert rows[1]["error_type"] == "assertion_failure" and not rows[0]["one_process"]
    found = load_problem_file(tmp_path / "problems.jsonl")
    assert found.formats == (name,)
    proved(judge, *found.problems)


def test_a_format_from_elsewhere_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "problems.jsonl"
    rows = [EXAMPLES["MultiPL-E"], EXAMPLES["human-eval"], EXAMPLES["HumanEval-X"]]
    write_jsonl(path, rows)
    assert main(["problems", "--problem-file", str(path)]) == 0
    said = capsys.readouterr()
    assert "3 problems, as MultiPL-E and human-eval and HumanEval-X has them" in said.err
    assert "HumanEval_53_add" in said.out
    write_jsonl(path, rows[1:2])
    assert main(["problems", "--problem-file", str(path)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["p.jsonl", "p.json", "p", "p.jsonl.gz", "list", "list.json.gz"])
def test_rows_and_lists_are_read_packed_or_not(tmp_path: Path, name: str) -> None:
    rows = [EXAMPLES["MultiPL-E"], EXAMPLES["HumanEval-X"]]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    data = (json.dumps(rows, indent=1) if "list" in name else text).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = load_problem_file(path)
    assert [one.task_id for one in found.problems] == ["HumanEval_53_add", "Rust/53"]
    assert found.problems[1].place == f"{path}: item 2" if "list" in name else f"{path}:2"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"name": "x", "completions": []}, "field 'prompt' is missing or not a string; it has"),
        (MULTIPL_E | {"language": "py"}, "field 'language' is 'py'; problems in Rust are judged"),
        (MULTIPL_E | {"prompt": "def f():\n"}, "'by_length' is no top-level function"),
        (MULTIPL_E | {"tests": "}\n"}, r"its tests hold no #\[test\] function"),
        (MULTIPL_E | {"name": None}, "field 'task_id' is missing or not a string"),
        (
            {"task_id": "a", "prompt": "def f():", "test": ""},
            "field 'entry_point' is missing, and the prompt begins no function of Rust",
        ),
        (
            {"task_id": "a", "prompt": "fn r#try() {", "test": "", "entry_point": "r#try"},
            "entry_point 'r#try' is a raw identifier; give the function another name",
        ),
    ],
)
def test_what_is_no_problem_is_refused_with_what_to_do(
    tmp_path: Path, judge: Judge, row: Row, reason: str
) -> None:
    with pytest.raises(UsageError, match=rf"problems.jsonl:1: .*{reason}"):
        scored(tmp_path, judge, [row], "}")


def test_a_crate_that_nobody_provides_is_named() -> None:
    crates = Crates(rlibs={"rand": Path("r"), "regex": Path("r"), "md5": Path("m")})
    said = crates.complaint({"a": ["rand"], "b": ["itertools", "rand"], "c": []})
    assert "cannot be scored here: b. They need crates, and itertools: no crate but" in said
    assert said.endswith("Take these problems out of the file")
    none = Crates(fault="none were provisioned").complaint({"a": ["rand"], "c": []})
    assert "here: a. They need crates, and none were provisioned. To get them: `" in none
