"""Training data is checked: problems that are in it are found, and so is what is malformed."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from plants import ANSWERED, ASKED, PLANTS, reformatted, renamed, verbatim

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.dataset import check, check_dataset, files, is_clean, report
from sigil_eval.dataset import found as collecting
from sigil_eval.documents import DatasetCheck
from sigil_eval.errors import UsageError
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.rust.lexer import tokens

FINE = {"prompt": ASKED, "gen": ANSWERED}
SOURCES = Path(check.__file__).parents[1]


def written(path: Path, rows: Iterable[Any]) -> Path:
    """A file of rows; a text is a line as it stands."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def checked(folder: Path, *rows: Any) -> DatasetCheck:
    """What comes of checking rows."""
    return check_dataset([written(folder / "data.jsonl", rows)], workers=1)


def tasks_of(found: DatasetCheck) -> set[str]:
    return {task["task_id"] for task in found["tasks"]}


def faults_of(found: DatasetCheck) -> dict[str, list[str]]:
    """Rules that are broken, with the lines that break them."""
    return {
        name: [fault["place"].rpartition(":")[2] for fault in faults["first"]]
        for name, faults in found["formats"].items()
        if faults["count"]
    }


def respaced(problem: Problem) -> dict[str, str]:
    """The reference answer with other white space, and comments between."""
    texts = [token.text for token in tokens(verbatim(problem)["gen"])]
    return {"prompt": ASKED, "gen": " /* so */\n\t".join(texts)}


@pytest.mark.parametrize("plant", [*PLANTS.values(), respaced], ids=lambda plant: plant.__name__)
def test_what_was_planted_is_found(
    plant: Any, tmp_path: Path, humaneval: ProblemSet, sigil_rust: ProblemSet
) -> None:
    """benchmarks/dataset/planted.py counts for all problems, and real functions besides."""
    if plant is reformatted and not find_toolchain().rustc.with_name("rustfmt").exists():
        pytest.skip("the toolchain has no rustfmt")
    problems = [humaneval.by_id["HumanEval/0"], humaneval.by_id["HumanEval/130"]]
    problems.append(next(one for one in sigil_rust.problems if "fizz_buzz" in one.prompt))
    for problem in problems:
        found = checked(tmp_path, FINE, plant(problem))
        assert problem.task_id in tasks_of(found)
        assert {row["place"] for row in found["found"]} == {f"{tmp_path}/data.jsonl:2"}


def test_each_signal_has_its_share(tmp_path: Path, humaneval: ProblemSet) -> None:
    problem = humaneval.by_id["HumanEval/0"]
    [plain] = checked(tmp_path, verbatim(problem))["found"]
    assert plain["signals"] == {"tree": 1.0, "code": 1.0, "shape": 1.0, "signature": 1.0}
    [other] = checked(tmp_path, renamed(problem))["found"]
    assert other["signals"] == {"tree": 1.0, "shape": 1.0}
    lines = verbatim(problem)["gen"].split("\n")
    [part] = checked(tmp_path, {"prompt": ASKED, "gen": "\n".join(lines[3:])})["found"]
    assert 0.2 < part["signals"]["code"] < 1


def test_an_answer_among_other_things_is_found(tmp_path: Path, humaneval: ProblemSet) -> None:
    answer = verbatim(humaneval.by_id["HumanEval/0"])["gen"]
    fenced = f"It isn't \"hard:\n```rust\n{answer}\n```\nThat's all"
    prose = f"It isn't \"hard:\n\npub {answer.strip()}"
    for gen in (fenced, prose, f"{ANSWERED * 50}{answer}{ANSWERED * 50}"):
        assert tasks_of(checked(tmp_path, {"prompt": ASKED, "gen": gen})) == {"HumanEval/0"}
        assert tasks_of(checked(tmp_path, {"prompt": gen, "gen": ANSWERED})) == {"HumanEval/0"}
        assert tasks_of(checked(tmp_path, {"prompt": gen})) == {"HumanEval/0"}


def test_what_was_published_is_found_where_errata_replace_it(
    tmp_path: Path, humaneval: ProblemSet
) -> None:
    mended = [
        problem
        for problem in humaneval.published
        if problem.canonical_solution != humaneval.by_id[problem.task_id].canonical_solution
    ]
    assert mended
    for problem in mended:
        assert problem.task_id in tasks_of(checked(tmp_path, verbatim(problem)))


def test_other_people_s_code_is_no_problem(tmp_path: Path) -> None:
    rust = [path.read_text() for path in sorted(SOURCES.rglob("*.rs"))]
    assert rust
    found = checked(tmp_path, FINE, *({"prompt": ASKED, "gen": text} for text in rust))
    assert tasks_of(found) == set()
    assert is_clean(found)


def test_the_rest_of_a_function_is_code(tmp_path: Path) -> None:
    begun = "/// Adds what it's given.\nfn add(a: i32, b: i32) -> i32 {"
    assert is_clean(checked(tmp_path, {"prompt": begun, "gen": "    a + b\n}\n"}))
    asked = f"Go on from here:\n```rust\n{begun}\n```"
    assert is_clean(checked(tmp_path, {"prompt": asked, "gen": "```rust\n    a + b\n}\n```"}))
    shown = f"/// Adds:\n/// ```\n/// add(1, 2);\n/// ```\n{begun}"
    assert is_clean(checked(tmp_path, {"prompt": shown, "gen": "    a + b\n}\n"}))
    broken = checked(tmp_path, {"prompt": begun, "gen": "    a + (b\n}\n"})
    assert set(faults_of(broken)) == {"not Rust"}


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        ("nonsense", {"unreadable"}),
        ("[1]", {"unreadable"}),
        ('{"prompt": "a", "prompt": "b", "gen": ""}', {"unreadable"}),
        ({"gen": ANSWERED}, {"not text"}),
        ({"prompt": ASKED, "gen": None}, {"not text"}),
        ({"prompt": ASKED, "gen": [ANSWERED]}, {"not text"}),
        ({"prompt": " \n", "gen": ANSWERED}, {"empty"}),
        ({"prompt": ASKED, "gen": ""}, {"empty"}),
        ({"prompt": "x" * (2 << 20), "gen": ANSWERED}, {"too long"}),
        ({"prompt": ASKED, "gen": "fn f( {"}, {"not Rust"}),
        ({"prompt": ASKED, "gen": "It adds two numbers."}, {"not Rust"}),
        ({"prompt": ASKED, "gen": f"fn f() {{}}{' ' * (200 << 10)}"}, {"not Rust"}),
        ({"prompt": ASKED, "gen": "It is so:\n```rust\nfn f( {\n```"}, {"not Rust"}),
        ({"prompt": ASKED, "gen": "fn f() { todo!() }"}, {"stub"}),
        ({"prompt": ASKED, "gen": 'fn f() { unimplemented ! ("later") }'}, {"stub"}),
        ({"prompt": ASKED, "gen": "// \x01\nfn f() {}"}, {"control"}),
        ({"prompt": "half \ud800", "gen": ANSWERED}, {"control"}),
        ({"prompt": ASKED, "gen": "fn f() {} // \u202e"}, {"unseen"}),
        ({"prompt": "a\u200bb", "gen": ANSWERED}, {"unseen"}),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, str | dict) else "",
)
def test_a_rule_of_format_that_is_broken_is_named(
    row: Any, rules: set[str], tmp_path: Path
) -> None:
    found = checked(tmp_path, FINE, row, {"prompt": ASKED, "gen": "fn after() {}"})
    assert faults_of(found) == {rule: ["2"] for rule in rules}
    assert not is_clean(found)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "todo!() is what to avoid", "gen": 'fn f() -> &str { "todo!()" }'},
        {"prompt": ASKED, "gen": "// todo!() it\r\n\tfn f() {}"},
        {"prompt": ASKED, "gen": "let a = 1;\na + 1"},
        {"prompt": ASKED, "gen": "Prose.\n```rust\nfn f() {}\n```\nMore prose."},
        {"prompt": ASKED, "gen": "It adds two numbers.", "_task_type": "explanations"},
        {"prompt": ASKED, "gen": "+ 1; } else {", "_task_type": "fill_in_middle"},
        {"prompt": "one\u2028line\u0085only\x0c"[:-1], "gen": 'fn f() { "\u2028"; }'},
    ],
    ids=lambda row: row["gen"][:30],
)
def test_what_breaks_no_rule_is_left_alone(row: Any, tmp_path: Path) -> None:
    raw = json.dumps(row, ensure_ascii=False).replace("\u0085", "")
    found = checked(tmp_path, FINE, raw)
    assert faults_of(found) == {}
    assert found["files"][0]["rows"] == 2


def test_rows_that_stand_there_twice_are_found(tmp_path: Path) -> None:
    code = "fn area(width: u32, height: u32) -> u32 {{ {} width * height + 1 }}"
    first = {"prompt": ASKED, "gen": code.format("")}
    other_words = {"prompt": "Write another.", "gen": code.format("/* so */").replace("width", "a")}
    found = checked(tmp_path, FINE, first, first, other_words, FINE, first)
    assert faults_of(found) == {"duplicate": ["3", "5", "6"], "near duplicate": ["4"]}
    reasons = [fault["reason"] for fault in found["formats"]["duplicate"]["first"]]
    places = [f"equal to {tmp_path}/data.jsonl:{line}" for line in (2, 1, 2)]
    assert reasons == places


@pytest.mark.parametrize("names", [("crate", "split"), ("_source_crate", "_split")])
def test_a_crate_in_both_splits_is_found(names: tuple[str, str], tmp_path: Path) -> None:
    def row(number: int, *values: str) -> dict[str, str]:
        return {"prompt": f"{number}", "gen": ANSWERED} | dict(zip(names, values, strict=False))

    fine = [row(1, "serde", "val"), row(2, "serde", "validation"), row(3, "rand", "train")]
    assert "both splits" not in faults_of(checked(tmp_path, *fine))
    assert faults_of(checked(tmp_path, *fine, row(4, "serde", "train")))["both splits"] == ["4"]
    train = written(tmp_path / "train.jsonl", [row(1, "serde"), row(2, "rand")])
    val = written(tmp_path / "val.jsonl", [row(3, "rand")])
    [fault] = check_dataset([train, val])["formats"]["both splits"]["first"]
    assert fault["place"] == f"{val}:1"
    assert fault["reason"] == f"crate rand is in {train} ({train}:2), {val} ({val}:1)"


def test_the_number_of_processes_changes_nothing(
    tmp_path: Path, humaneval: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_ROWS_OF_A_PROCESS", 100)
    monkeypatch.setattr(check, "_ROWS_OF_A_BATCH", 10)
    rows = [verbatim(problem) for problem in humaneval.problems] + ["{", FINE] * 200
    path = written(tmp_path / "data.jsonl", rows)
    one = check_dataset([path], workers=1)
    assert check_dataset([path], workers=3) == one
    assert len(tasks_of(one)) >= 164
    assert one["formats"]["duplicate"]["count"] == 199
    validate(one, "dataset_check")


def test_all_are_counted_and_the_first_are_named(
    tmp_path: Path, humaneval: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_MOST_FOUND", 40)
    monkeypatch.setattr(collecting, "_MOST_FAULTS", 10)
    planted = verbatim(humaneval.by_id["HumanEval/0"])
    document = checked(tmp_path, *[planted] * 50)
    assert document["contaminated_rows"] == 50
    assert document["tasks"][0]["rows"] == 50
    assert len(document["found"]) == 40
    assert document["formats"]["duplicate"]["count"] == 49
    assert len(document["formats"]["duplicate"]["first"]) == 10


def test_files_are_read_packed_and_from_standard_input(
    tmp_path: Path, humaneval: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = written(tmp_path / "data.jsonl", [FINE, verbatim(humaneval.by_id["HumanEval/0"])])
    packed = tmp_path / "data.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(plain.read_bytes())))
    monkeypatch.setattr(sys, "stdin", stream)
    for source in (packed, Path("-")):
        found = check_dataset([source])
        assert tasks_of(found) == {"HumanEval/0"}
        assert found["files"][0]["rows"] == 2
        assert (found["files"][0]["sha256"] is None) == (source == Path("-"))


def test_parquet_is_read_as_the_same_rows(tmp_path: Path, humaneval: ProblemSet) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [FINE, verbatim(humaneval.by_id["HumanEval/0"]), {"prompt": ASKED, "gen": None}]
    path = tmp_path / "data.parquet"
    parquet.write_table(arrow.Table.from_pylist(rows * 400), path)
    found = check_dataset([path])
    lines = check_dataset([written(tmp_path / "data.jsonl", rows * 400)])
    for document in (found, lines):
        document["files"] = []
    assert json.dumps(found).replace(".parquet", ".jsonl") == json.dumps(lines)
    assert found["contaminated_rows"] == 400


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "holds no rows"),
        (b"\n \n", "holds no rows"),
        (b'[{"prompt": "a", "gen": "b"}]', "a list; write it as JSONL"),
        (b"PAR1 and no more", "not valid Parquet"),
        (b"\x1f\x8b and no more", "not valid gzip data"),
        (b"PK\x03\x04", "a zip archive"),
        (b"{" * (17 << 20), "a line of more than 16 MiB"),
    ],
)
def test_what_is_no_file_of_rows_is_refused(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "data"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        check_dataset([path])


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(files._PARQUET)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install '\.\[data\]'"):
        check_dataset([path])


@pytest.mark.parametrize(
    "text",
    ["fn f " * 30_000, "fn f() {" * 20_000, "assert!(" * 20_000, "a(" * 20_000, '"' * 9_999],
    ids=lambda text: text[:8],
)
def test_a_text_that_nobody_has_written_takes_no_time(text: str, tmp_path: Path) -> None:
    """Were it read again from each of its parts, this would not end."""
    assert set(faults_of(checked(tmp_path, {"prompt": text, "gen": text}))) == {"not Rust"}


def test_the_report_says_what_was_found_and_what_cannot_be(
    tmp_path: Path, humaneval: ProblemSet
) -> None:
    clean = report(checked(tmp_path, FINE))
    assert clean.startswith("# Training data: clean\n")
    assert "in other words" in clean
    found = checked(tmp_path, verbatim(humaneval.by_id["HumanEval/0"]), "{\x1b[31m")
    text = report(found)
    assert text.startswith("# Training data: holds 1 of the problems, in 1 rows")
    assert f"| {tmp_path}/data.jsonl:1 | HumanEval/0 | tree 100%" in text
    assert f"- {tmp_path}/data.jsonl:2: not valid JSON" in text
    assert "\x1b" not in text


def test_the_command_prints_writes_and_ends_with_what_it_found(
    tmp_path: Path, humaneval: ProblemSet, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = str(written(tmp_path / "clean.jsonl", [FINE]))
    planted = str(written(tmp_path / "p.jsonl", [verbatim(humaneval.by_id["HumanEval/0"])]))
    assert main(["dataset", "check", clean]) == 0
    assert capsys.readouterr().out.startswith("# Training data: clean")
    output = tmp_path / "found.json"
    assert main(["dataset", "check", planted, "--json", "--output", str(output)]) == 5
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads(output.read_text())
    validate(shown, "dataset_check")
    output = output.with_suffix(".md")
    assert main(["dataset", "check", planted, "--output", str(output)]) == 5
    assert capsys.readouterr().out.strip() == output.read_text().strip()


def test_options_of_a_file_are_those_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(written(tmp_path / "clean.jsonl", [FINE]))
    config, output = tmp_path / "options.toml", tmp_path / "report.md"
    config.write_text(f'["dataset check"]\noutput = "{output}"\n')
    assert main(["dataset", "check", data, "--config", str(config)]) == 0
    assert output.exists()
    config.write_text("[dataset]\noutput = 1\n")
    assert main(["dataset", "check", data, "--config", str(config)]) == 2
    assert "no option of dataset 'output'" in capsys.readouterr().err
