"""Text from outside is read to the letter, or refused with file, line and reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from results_fixture import good_results, make_metadata, make_run
from sigil_eval.answers.program import Program
from sigil_eval.cli import main
from sigil_eval.documents.shape import read_results
from sigil_eval.errors import UsageError
from sigil_eval.files import DEEPEST, LONGEST_LINE, read_json, read_jsonl, write_atomic
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet

SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
GOOD = b'{"task_id": "HumanEval/53", "completion": "x"}\n'
TOO_DEEP = f"nested more than {DEEPEST} deep"
FAULTS: dict[str, tuple[bytes, str]] = {
    "deep": (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", TOO_DEEP),
    "never closed": (b'{"a":' * 200_000, TOO_DEEP),
    "deep by one": (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", TOO_DEEP),
    "digits": (b'{"a": ' + b"9" * 5000 + b"}", "a number of 5000 digits; 300 are the most"),
    "more than a float": (b'{"a": 1' + b"0" * 310 + b"}", "a number of 311 digits"),
    "exponent": (b'{"a": 1e999}', "'1e999' is too large a number"),
    "NaN": (b'{"a": NaN}', "NaN is no number of JSON's"),
    "Infinity": (b'{"a": [-Infinity]}', "-Infinity is no number of JSON's"),
    "twice": (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' stands twice in one object"),
    "twice within": (b'{"x": [{"\\u001b": 1, "\\u001b": 2}]}', r"the key '\x1b' stands twice"),
    "raw NUL": (b'{"a": "\0"}', "not valid JSON: Invalid control character"),
    "all NUL": (b"\0" * 4096, "not valid JSON: Expecting value (column 1)"),
    "raw return": (b'{"a": "b\rc"}', "not valid JSON: Invalid control character"),
    "half a character": (b'{"a": "\xed\xa0\x80"}', "not UTF-8 text (invalid continuation byte"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8 text (invalid start byte at byte 0)"),
    "a list": (b"[]", "expected a JSON object, found list"),
    "a number": (b"7", "expected a JSON object, found int"),
    "null": (b"null", "expected a JSON object, found NoneType"),
    "two": (b"{} {}", "not valid JSON: Extra data"),
    "long": (b'{"a": "' + b"x" * LONGEST_LINE + b'"}', "a line of more than 16 MiB"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_line_that_nobody_can_rely_on_is_named(tmp_path: Path, fault: str) -> None:
    path, (line, reason) = tmp_path / "rows.jsonl", FAULTS[fault]
    path.write_bytes(GOOD + line + b"\n" + GOOD)
    with pytest.raises(UsageError) as refused:
        list(read_jsonl(path))
    assert str(refused.value).startswith(f"{path}:2: ")
    assert reason in str(refused.value)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "long"])
def test_so_is_a_file_that_is_one_object(tmp_path: Path, fault: str) -> None:
    path, (text, reason) = tmp_path / "one.json", FAULTS[fault]
    path.write_bytes(text)
    with pytest.raises(UsageError, match=r"one\.json(:1)?: ") as refused:
        read_json(path)
    assert reason in str(refused.value)


def test_the_line_of_a_fault_in_a_whole_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(b'{\n"a": 1,\n"b" 2}')
    with pytest.raises(UsageError, match=r"one\.json:3: not valid JSON: Expecting ':'"):
        read_json(path)
    path.write_bytes(b'{\n"a": "\xff"}')
    with pytest.raises(UsageError, match=r"one\.json:2: not UTF-8 text"):
        read_json(path)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        b"\n \t\r\n" + GOOD,
        GOOD.rstrip(b"\n"),
        GOOD.replace(b"{", b'{"deep": ' + b"[" * 99 + b"]" * 99 + b", "),
        GOOD.replace(b"{", b'{"id": ' + b"9" * 300 + b", "),
        GOOD.replace(b"{", b'{"note": "{}[]' + b"[{" * 500 + b'", '),
    ],
)
def test_what_is_only_unusual_is_read(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text)
    [(_, row)] = read_jsonl(path)
    assert (row["task_id"], row["completion"]) == ("HumanEval/53", "x")


def test_only_a_line_feed_ends_a_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": "\x85\u2028\u2029"}\n{}\n')
    assert list(read_jsonl(path)) == [(1, {"a": "\x85\u2028\u2029"}), (2, {})]


def test_half_a_character_is_written_as_its_number(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    write_atomic(path, json.dumps({"é": "\ud800"}, ensure_ascii=False))
    assert path.read_bytes() == b'{"\xc3\xa9": "\\ud800"}'
    assert read_json(path) == {"é": "\ud800"}


@pytest.mark.parametrize("command", ["score", "problems"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_command_says_so(
    tmp_path: Path, fault: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, (line, reason) = tmp_path / "rows.jsonl", FAULTS[fault]
    path.write_bytes(line + b"\n")
    given = (
        ["score", str(path)] if command == "score" else ["problems", "--problem-file", str(path)]
    )
    assert main(given) == 2
    said = capsys.readouterr().err
    assert f"{path}:1: " in said and reason in said


ESCAPES = "\x1b]0;pwned\x07\x1b[2J\x1b[31mHE"


def test_a_task_of_a_samples_file_does_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"task_id": ESCAPES + "x" * 10_000, "completion": "x"}) + "\n")
    assert main(["score", str(path), "--k", "1"]) == 2
    said = capsys.readouterr()
    assert f"{path}:1: task_id '\\x1b]0;pwned\\x07" in said.err
    assert not re.search("[\x1b\x07]", said.out + said.err) and len(said.err) < 1000


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"task_id": []}, "field 'task_id' is missing or not a string"),
        ({"task_id": {"a": 1}}, "field 'task_id' is missing or not a string"),
        ({"completion": None}, "field 'completion' is missing or not a string"),
        ({"completion": ["x"]}, "field 'completion' is missing or not a string"),
        ({"task_id": "HumanEval/999"}, "task_id 'HumanEval/999' is not in the problem set"),
        ({"task_id": "a\nproved: b"}, r"task_id 'a\nproved: b' is not in the problem set"),
        ({"task_id": "\ud800"}, r"task_id '\ud800' is not in the problem set"),
        ({"task_id": "\0"}, r"task_id '\x00' is not in the problem set"),
    ],
)
def test_a_sample_that_is_none_is_named_before_anything_is_judged(
    tmp_path: Path, fields: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(GOOD + json.dumps(json.loads(GOOD) | fields).encode())
    assert main(["score", str(path), "--k", "1"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {path}:2: {reason}")
    assert said.out == "" and not (tmp_path / "rows_scored").exists()


def test_what_a_samples_file_has_besides_is_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    row = good_results()["base"][0] | {"tokens": [1, 2], "model": None, "sample_index": "a"}
    path.write_text(json.dumps(row) + "\n")
    assert list(read_results(path)) == [(1, row)]


PROBLEM = {
    "task_id": "T/0",
    "prompt": "fn f() -> i32 {",
    "canonical_solution": " 1 }",
    "test": "#[test] fn t() { assert_eq!(f(), 1); }",
    "entry_point": "f",
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task_id": None}, "field 'task_id' is missing or not a string"),
        ({"prompt": ["x"]}, "field 'prompt' is missing or not a string"),
        ({"entry_point": "f\x1b[2J"}, r"entry_point 'f\x1b[2J' is no name"),
        ({"edition": 2021}, "field 'edition' is not a string"),
        ({"edition": "\x1b[2J"}, r"edition '\x1b[2J' is none of Rust's"),
        ({"crates": {"rand": 1}}, "field 'crates' is not a list"),
        ({"crates": [["rand"]]}, "field 'crates' is not a list"),
        ({"free_text": 1}, "field 'free_text' is neither true nor false"),
        ({"prelude": "\0"}, "field 'prelude' holds something else"),
    ],
)
def test_a_problem_of_wrong_types_is_named(
    tmp_path: Path, changes: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(json.dumps(PROBLEM) + "\n" + json.dumps(PROBLEM | {"task_id": "T/1"} | changes))
    assert main(["problems", "--problem-file", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}:2: " in said and reason in said


def _set(place: str, value: Any) -> Any:
    """A change of a document: a value at a path such as `models.base.samples`."""

    def change(document: Any) -> None:
        *way, last = place.split("/")
        for step in way:
            document = document[step]
        document[last] = value

    return change


@pytest.mark.parametrize("command", ["report", "compare", "export", "reproduce"])
@pytest.mark.parametrize(
    ("name", "place", "value", "reason"),
    [
        ("no-policy/metrics.json", "models", [], "models: expected an object, found a list"),
        ("no-policy/metrics.json", "k_values", [0], "k_values.0: 0 is below 1"),
        ("no-policy/metrics.json", "seed", "7", "seed: expected a whole number, found '7'"),
        ("no-policy/metrics.json", "seed", True, "seed: expected a whole number, found true"),
        ("no-policy/metrics.json", "problem_set", None, "problem_set: expected an object"),
        ("no-policy/metrics.json", "problem_set/sha256", "x", "problem_set.sha256: 'x' is not of"),
        ("eval_metadata.json", "schema_version", 99, "schema_version: expected 3, found 99"),
        ("eval_metadata.json", "packages", ["torch"], "packages: expected an object, found a list"),
        ("eval_metadata.json", "durations/phases", {"a": None}, "durations.phases.'a': expected a"),
        ("eval_metadata.json", "files", 3, "files: expected an object, found 3"),
    ],
)
def test_a_run_of_wrong_types_is_named(
    tmp_path: Path,
    command: str,
    name: str,
    place: str,
    value: Any,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    document = json.loads((tmp_path / name).read_text())
    _set(place, value)(document)
    (tmp_path / name).write_text(json.dumps(document))
    assert main([command, str(tmp_path)]) == 2
    assert f"{tmp_path / name}: {reason}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["no-policy/metrics.json", "eval_metadata.json"])
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "long"])
def test_a_file_of_a_run_that_is_no_json_is_named(
    tmp_path: Path, name: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    (tmp_path / name).write_bytes(FAULTS[fault][0])
    assert main(["compare", str(tmp_path)]) == 2
    assert FAULTS[fault][1] in capsys.readouterr().err


@pytest.mark.parametrize("command", ["export", "report"])
@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("outcome", ["passed"], "outcome: expected passed or failed"),
        ("passed", 1, "passed: expected true or false, found 1"),
        ("error_codes", [None], "error_codes.0: expected text, found null"),
        ("policy_findings", [{}], "policy_findings.0.category: is missing"),
        ("completion", None, "completion: expected text, found null"),
    ],
)
def test_a_result_of_wrong_types_is_named(
    tmp_path: Path,
    command: str,
    field: str,
    value: Any,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = good_results()
    make_run(tmp_path, results, make_metadata())
    path = tmp_path / "no-policy/base_model_results.jsonl"
    rows = [row for _, row in read_jsonl(path)]
    rows[2][field] = value
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    metrics = json.loads((tmp_path / "no-policy/metrics.json").read_text())
    assert main([command, str(tmp_path)]) == 2, metrics["problem_set"]
    assert f"{path}:3: {reason}" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "long"])
def test_a_configuration_that_is_no_json_is_named(tmp_path: Path, fault: str) -> None:
    (tmp_path / "config.json").write_bytes(FAULTS[fault][0])
    model = ModelFiles("org/model", "r", tmp_path, ("config.json",))
    with pytest.raises(UsageError, match=r"org/model: its config\.json cannot be read") as refused:
        model.config()
    assert FAULTS[fault][1] in str(refused.value)


def test_only_a_line_feed_ends_a_line_of_what_rustc_says(
    judge: Judge, humaneval: ProblemSet
) -> None:
    """Its messages quote the answer, with all characters that Python takes for ends of lines."""
    problem = humaneval.by_id["HumanEval/27"]
    head = "pub fn flip_case(string: String) -> String "
    bodies = [
        f'{{ let _x: i32 = "{SEPARATORS}"; string }}',
        f'{{ let _x = unsafe {{ "{SEPARATORS}".len() }}; string }}',
    ]
    programs = [Program(problem, head + body) for body in bodies]
    verdicts = dict(judge.judge(programs))
    assert verdicts[programs[0]].error_codes == ("E0308",)
    assert verdicts[programs[1]].uses_unsafe
