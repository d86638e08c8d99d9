"""Problems of one's own: what a problem file may ask for, judged for real, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.files import Row, read_jsonl, write_jsonl
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import load_problem_file
from sigil_eval.scoring.forms import FORMS
from sigil_eval.scoring.proof import prove
from sigil_eval.scoring.score import score_files

POINT = """\
use std::collections::BTreeMap;
const ORIGIN: Point = Point { x: 0, y: 0 };
#[derive(Clone, Debug)]
struct Point { x: i32, y: i32 }
struct Metres(i32);
trait Size { fn size(&self) -> Metres; }
impl Size for Point { fn size(&self) -> Metres { Metres(self.x.abs() + self.y.abs()) } }
impl Point { fn moved(&self, x: i32) -> Point { Point { x: self.x + x, ..*self } } }
impl PartialEq for Point {
    fn eq(&self, other: &Point) -> bool { (self.x, self.y) == (other.x, other.y) }
}
// The points by their size.
fn by_size(points: &[Point]) -> BTreeMap<i32, Point> {"""

PROBLEMS = [
    {
        "task_id": "Own/generic",
        "prompt": "fn largest<T>(items: &[T]) -> Option<T>\nwhere T: PartialOrd + Copy {\n",
        "canonical_solution": "    let larger = |a, b| if b > a { b } else { a };\n"
        "    items.iter().copied().reduce(larger)\n}",
        "test": "#[test] fn it() { assert_eq!(largest(&[1, 3, 2]), Some(3)); "
        "assert_eq!(largest(&['x']), Some('x')); assert_eq!(largest::<u8>(&[]), None); }",
        "entry_point": "largest",
    },
    {
        "task_id": "Own/types",
        "prompt": POINT,
        "canonical_solution": "\n    points.iter().map(|p| (p.size().0, p.clone())).collect()\n}",
        "test": "#[cfg(test)] mod tests { use super::*; #[test] fn it() { "
        "let found: BTreeMap<i32, Point> = by_size(&[Point { x: 3, y: -4 }, ORIGIN.moved(2)]); "
        "assert_eq!(found.len(), 2); assert_eq!(found[&7], Point { x: 3, y: -4 }); "
        "assert_eq!(found[&2].y, 0); assert_eq!(ORIGIN.size().0, Metres(0).0); } }",
        "entry_point": "by_size",
    },
    {
        "task_id": "Own/trait",
        "prompt": "trait Shape { fn area(&self) -> u32; }\n"
        "fn total(shapes: &[Box<dyn Shape>], each: impl Fn(u32) -> u32) -> u32 {\n",
        "canonical_solution": "    shapes.iter().map(|s| each(s.area())).sum()\n}",
        "test": "struct Square(u32); "
        "impl Shape for Square { fn area(&self) -> u32 { self.0 * self.0 } } "
        "#[test] fn it() { assert_eq!(total(&[Box::new(Square(2)), Box::new(Square(3))], "
        "|a| a + 1), 15); }",
        "entry_point": "total",
    },
    {
        "task_id": "Own/modifiers",
        "prompt": "const fn twice(x: u32) -> u32 {\n    2 * x\n}\n"
        "async fn later(x: u32) -> u32 {\n",
        "canonical_solution": "    twice(x) + 1\n}",
        "test": "use std::{future::Future, pin::pin, task::{Context, Poll, Waker}}; "
        "const SIX: u32 = twice(3); #[test] fn it() { "
        "let mut context = Context::from_waker(Waker::noop()); "
        "assert_eq!(pin!(later(SIX)).poll(&mut context), Poll::Ready(13)); }",
        "entry_point": "later",
    },
    {
        "task_id": "Own/options",
        "prompt": "fn digits(text: &str) -> HashMap<String, usize> {\n",
        "canonical_solution": '    let number = Regex::new(r"\\d+").unwrap();\n'
        "    number.find_iter(text).map(|m| (m.as_str().to_string(), m.start())).collect()\n}",
        "test": '#[test] fn it() { if let Some(n) = digits("a12").get("12") && *n == 1 {} '
        "else { panic!() } }",
        "entry_point": "digits",
        "edition": "2024",  # the test's `if let … && …` is of this edition
        "prelude": "use std::collections::HashMap; use regex::Regex;",
        "crates": ["regex"],
        "difficulty": "a field of one's own",
    },
]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.jsonl"
    write_jsonl(path, PROBLEMS)
    return path


def test_right_answers_pass_and_wrong_ones_fail(own: Path, judge: Judge) -> None:
    proof = prove(judge, load_problem_file(own))
    assert (proof.scorable, proof.reference_answers) == (5, 5 * len(FORMS))


def results(folder: Path, problems: Path, judge: Judge, *answers: tuple[str, str]) -> list[Row]:
    samples = folder / "answers.jsonl"
    write_jsonl(samples, [{"task_id": t, "completion": text} for t, text in answers])
    score_files({"answers": samples}, load_problem_file(problems), folder, judge)
    return [row for _, row in read_jsonl(folder / "no-policy" / "answers_results.jsonl")]


def test_an_answer_may_repeat_and_extend_what_the_prompt_defines_but_not_change_it(
    own: Path, tmp_path: Path, judge: Judge
) -> None:
    right = str(PROBLEMS[1]["canonical_solution"])
    wrong = "\n    (0..9).map(|n| (n, ORIGIN)).filter(|p| p.0 == 2 || p.0 == 7).collect()\n}"
    all_equal = "\nimpl PartialEq for Point { fn eq(&self, _: &Point) -> bool { true } }\n"
    own_point = "#[derive(Clone, Debug)] struct Point { x: i32, y: i32 }\n"
    more = "\nimpl Point { fn far(&self) -> bool { self.x > 9 } }\n"
    rows = results(
        tmp_path,
        own,
        judge,
        ("Own/types", POINT + right),
        ("Own/types", right + more),
        ("Own/types", wrong + all_equal),
        ("Own/types", own_point + all_equal + POINT.splitlines()[-1] + wrong),
    )
    assert [row["outcome"] for row in rows] == ["passed", "passed", "failed", "failed"]
    assert {row["error_type"] for row in rows[2:]} == {"assertion_failure"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"edition": "2027"}, r":2: edition '2027' is none of Rust's"),
        ({"edition": 2024}, r":2: field 'edition' is not a string"),
        ({"prelude": "fn f() {}"}, r":2: field 'prelude' holds something else than `use …;`"),
        ({"crates": "regex"}, r":2: field 'crates' is not a list of names"),
        ({"crates": ["a b"]}, r":2: field 'crates' is not a list of names"),
        ({"entry_point": "Point::moved"}, r":2: entry_point 'Point::moved' is no name"),
        ({"entry_point": "moved"}, r":2: problem Own/types: 'moved' is no top-level function"),
        ({"test": "fn it() {}"}, r":2: problem Own/types: its tests hold no #\[test\] function"),
    ],
)
def test_a_problem_that_cannot_be_judged_is_refused_with_its_place(
    tmp_path: Path, judge: Judge, change: Row, reason: str
) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (PROBLEMS[0], PROBLEMS[1] | change)))
    with pytest.raises(UsageError, match=reason):
        results(tmp_path, path, judge, ("Own/generic", "}"))
    assert not (tmp_path / "no-policy").exists()
