"""Whatever lies where a file should be, every command says what is wrong, and writes nothing.

None of these gets as far as a compiler: the environment names one that is not there.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from bad_files import CONTENTS, NO_FILES, THOROUGH, spoiled
from demo_models import MODELS
from results_fixture import good_results, make_metadata, make_run
from sigil_eval.cli import main
from sigil_eval.files import Row, json_value

PROBLEM: Row = {
    "task_id": "T/0",
    "prompt": "fn f() -> i32 {",
    "canonical_solution": " 1 }",
    "test": "#[test] fn t() { assert_eq!(f(), 1); }",
    "entry_point": "f",
    "edition": "2021",
    "prelude": "use std::fmt;",
    "crates": ["rand"],
    "free_text": False,
    "flag": "",
    "language": "rust",
}
MULTIPL_E: Row = {
    "name": "HumanEval_0_f",
    "language": "rs",
    "prompt": "fn f() -> i32 {\n",
    "tests": "}\n\nfn main() {\n    let candidate = f;\n    assert_eq!(candidate(), 1);\n}\n",
    "stop_tokens": ["\n}"],
}
HUMANEVAL_X: Row = PROBLEM | {"declaration": "use rand::Rng;\nfn f() -> i32 {", "import": ""}
SAMPLE: Row = {"task_id": "T/0", "completion": " 1 }"}
REPRODUCTION: Row = {
    "schema_version": 1,
    "created_at": "2026-11-20T10:00:00Z",
    "checks": [{"what": "rustc", "recorded": "a", "here": "a", "state": "same"}],
    "rescored": None,
}
Command = Callable[[Path], list[str]]


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGIL_RUSTC", "/nowhere/rustc")


def said(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a command, and what it says where it refuses."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(arguments)
    return code, error.getvalue()


def refused(arguments: list[str], path: Path, folder: Path) -> str:
    """What is said of a file that nobody can take; nothing is written."""
    before = everything(folder)
    code, message = said(arguments)
    assert code == 2, message
    assert message.startswith("error: ") and message.count("error: ") == 1
    assert str(path) in message.replace("\n", "")
    assert len(message) < 2000 and not re.search(r"[^\n\x20-\x7e\xa0-\U0010ffff]", message)
    assert everything(folder) == before
    return message


def everything(folder: Path) -> dict[str, object]:
    """What lies in a folder, with its content where it is a file."""
    files = {path for _, path in regular(folder)}
    return {
        str(path.relative_to(folder)): path.read_bytes() if path in files else None
        for path in folder.rglob("*")
    }


# What a command reads: where that lies in its folder, and how it is asked to.
OF_PROBLEMS: dict[str, Command] = {
    "verify": lambda path: ["verify", "--problem-file", str(path)],
    "problems": lambda path: ["problems", "--problem-file", str(path)],
    "score": lambda path: [
        "score", str(path.parent / "samples.jsonl"), "--problem-file", str(path),
        "--output-dir", str(path.parent / "out"),
    ],
}  # fmt: skip
OF_SAMPLES: dict[str, Command] = {
    "score": lambda path: [
        "score", str(path), "--problem-file", str(path.parent / "problems.jsonl"),
        "--output-dir", str(path.parent / "out"),
    ],
    "extract": lambda path: [
        "extract", str(path), "--problem-file", str(path.parent / "problems.jsonl"),
    ],
}  # fmt: skip
OF_A_RUN = ("report", "compare", "export", "reproduce")
RUN_FILES = (
    "no-policy/metrics.json",
    "eval_metadata.json",
    "reproduction.json",
    "no-policy/base_model_results.jsonl",
)
TABLES = {
    **{f"{name} PROBLEMS": ("problem.jsonl", run) for name, run in OF_PROBLEMS.items()},
    **{f"{name} SAMPLES": ("sample.jsonl", run) for name, run in OF_SAMPLES.items()},
}
GOOD = {"problem.jsonl": PROBLEM, "sample.jsonl": SAMPLE}


def dumped(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def folder_of_files(folder: Path) -> None:
    (folder / "samples.jsonl").write_bytes(dumped(SAMPLE))
    (folder / "problems.jsonl").write_bytes(dumped(PROBLEM))


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("command", TABLES)
def test_a_file_that_holds_no_rows_is_refused(tmp_path: Path, command: str, content: str) -> None:
    name, arguments = TABLES[command]
    folder_of_files(tmp_path)
    path = tmp_path / name
    path.write_bytes(CONTENTS[content](dumped(GOOD[name])))
    refused(arguments(path), path, tmp_path)


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("command", TABLES)
def test_what_is_no_file_is_refused_and_not_waited_for(
    tmp_path: Path, command: str, kind: str
) -> None:
    name, arguments = TABLES[command]
    folder_of_files(tmp_path)
    path = tmp_path / name
    NO_FILES[kind](path)
    refused(arguments(path), path, tmp_path)


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000, "samples.jsonl/x"])
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, command: str, name: str) -> None:
    folder_of_files(tmp_path)
    path = tmp_path / name
    arguments = [
        str(path) if one.endswith("\0") else one for one in TABLES[command][1](tmp_path / "\0")
    ]
    code, message = said(arguments)
    assert code == 2 and message.startswith("error: "), message


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    make_run(folder, good_results(), make_metadata())
    (folder / "reproduction.json").write_bytes(dumped(REPRODUCTION))
    return folder


@pytest.fixture
def run_folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize("kind", [*NO_FILES, *CONTENTS])
@pytest.mark.parametrize("name", RUN_FILES)
@pytest.mark.parametrize("command", OF_A_RUN)
def test_a_run_with_a_bad_file_never_ends_in_a_traceback(
    run_folder: Path, command: str, name: str, kind: str
) -> None:
    path = run_folder / name
    good = path.read_bytes()
    path.unlink()
    if kind in NO_FILES:
        NO_FILES[kind](path)
    else:
        path.write_bytes(CONTENTS[kind](good))
    check_command_of_a_run(command, run_folder)


def check_command_of_a_run(command: str, folder: Path) -> None:
    """Done, or refused with one message; what is left is JSON to everybody."""
    before = {name: path.stat().st_mode for name, path in regular(folder)}
    code, message = said([command, str(folder)])
    assert code in (0, 2, 3), message
    if code:
        assert message.startswith("error: ") and len(message) < 4000, message
        assert before.keys() == {name for name, _ in regular(folder)}
    for name, path in regular(folder):
        if code == 0 and name.endswith("metrics.json"):
            json_value(path.read_bytes())


def regular(folder: Path) -> Iterator[tuple[str, Path]]:
    return (
        (str(path), path) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )


@pytest.mark.parametrize("command", OF_PROBLEMS)
@pytest.mark.parametrize("shape", [PROBLEM, MULTIPL_E, HUMANEVAL_X], ids=["own", "MPL-E", "X"])
def test_a_spoiled_problem_never_ends_in_a_traceback(
    tmp_path: Path, command: str, shape: Row
) -> None:
    (tmp_path / "samples.jsonl").write_bytes(dumped(SAMPLE | {"task_id": shape.get("name", "T/0")}))
    path = tmp_path / "spoiled.jsonl"

    @THOROUGH
    @given(spoiled(shape))
    def check(row: Any) -> None:
        path.write_bytes(dumped(row))
        code, message = said(OF_PROBLEMS[command](path))
        assert code in (0, 2, 3), message
        assert code == 0 or message.splitlines()[-1].startswith("error: "), message
        assert not (tmp_path / "out" / "no-policy").exists()

    check()


@pytest.mark.parametrize("command", OF_SAMPLES)
def test_a_spoiled_sample_never_ends_in_a_traceback(tmp_path: Path, command: str) -> None:
    folder_of_files(tmp_path)
    path = tmp_path / "spoiled.jsonl"
    row = SAMPLE | {"tokens": 3, "finish_reason": "stop", "more": {"a": [1]}}

    @THOROUGH
    @given(spoiled(row))
    def check(row: Any) -> None:
        path.write_bytes(dumped(row))
        code, message = said(OF_SAMPLES[command](path))
        assert code in (0, 2, 3), message
        assert code == 0 or re.search("^error: ", message, re.MULTILINE), message
        assert not (tmp_path / "out" / "no-policy").exists()

    check()


@pytest.mark.parametrize("name", RUN_FILES)
@pytest.mark.parametrize("command", OF_A_RUN)
def test_a_spoiled_run_never_ends_in_a_traceback(
    finished: Path, tmp_path: Path, command: str, name: str
) -> None:
    first, *rest = (finished / name).read_bytes().splitlines(keepends=True)
    whole = name.endswith(".json")
    document = json.loads((finished / name).read_bytes() if whole else first)

    @settings(THOROUGH, max_examples=25)
    @given(spoiled(document))
    def check(changed: Any) -> None:
        folder = tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(finished, folder)
        (folder / name).write_bytes(dumped(changed) + (b"" if whole else b"".join(rest)))
        check_command_of_a_run(command, folder)

    check()


# Files of a model that a library reads, and what stands in one of their places.
OF_A_MODEL = [
    ("base/config.json", "vocab_size", "many"),
    ("base/config.json", "rope_parameters", 0),
    ("base/config.json", None, []),
    ("base/tokenizer.json", "model", {"type": "BPE", "vocab": {"a": None}, "merges": []}),
    ("base/tokenizer.json", "added_tokens", {"a": 1}),
    ("base/tokenizer.json", None, {}),
    ("base/tokenizer_config.json", None, []),
    ("base/tokenizer_config.json", "model_max_length", [None]),
    ("base/tokenizer_config.json", "chat_template", "{{ 1 / 0 }}"),
    ("base/tokenizer_config.json", "chat_template", "{% oops"),
    ("adapter/adapter_config.json", "megatron_config", [None]),
    ("adapter/adapter_config.json", "r", "x"),
    ("adapter/adapter_config.json", None, {}),
    ("adapter/adapter_config.json", None, None),
]


@pytest.mark.parametrize(("name", "place", "value"), OF_A_MODEL)
def test_a_model_that_cannot_be_loaded_is_named(
    tmp_path: Path, name: str, place: str | None, value: Any
) -> None:
    for part in ("base", "adapter"):
        shutil.copytree(MODELS / part, tmp_path / part)
    path = tmp_path / name
    document = value if place is None else json.loads(path.read_text()) | {place: value}
    path.write_text(json.dumps(document))
    code, message = said(
        ["generate", "--base-model", str(tmp_path / "base"), "--checkpoint",
         str(tmp_path / "adapter"), "--device", "cpu", "--num-samples", "1",
         "--max-new-tokens", "1",
         "--output", str(tmp_path / "out.jsonl")]
    )  # fmt: skip
    assert code in (2, 3), message
    assert message.splitlines()[-1].startswith("error: ") and len(message) < 2000
    assert str(tmp_path) in message or "chat template" in message


NUMBERS = [
    "1e9", "1e308", "1e309", "-1", "-0.0", "0", "nan", "inf", "-inf", "", " ", "9" * 5000, "1_0",
    "٣", "0x10", "1,", ",", "1e-300", "²", "1;2", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "arguments",
    [
        *[["verify", option] for option in ("--timeout", "--n-workers", "--sandbox-mode")],
        *[["score", "samples.jsonl", option] for option in ("--timeout", "--k", "--clippy")],
        *[["reproduce", "run", option] for option in ("--samples", "--seed", "--n-workers")],
        *[
            ["run", "--check", option]
            for option in (
                "--num-samples", "--temperature", "--top-p", "--top-k", "--max-new-tokens",
                "--seed", "--k-values", "--price-per-hour", "--batch-size", "--timeout",
                "--accepted-deviations",
            )
        ],
    ],
    ids=lambda arguments: f"{arguments[0]} {arguments[-1]}",
)  # fmt: skip
def test_a_number_that_is_none_is_refused(
    tmp_path: Path, arguments: list[str], number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    if arguments[0] == "score":
        arguments = [*arguments[:2], "--problem-file", "problems.jsonl", *arguments[2:]]
    code, message = said([*arguments, number])
    assert code in (2, 3), message
    assert re.search(r"^(error|Usage): ", message, re.MULTILINE) and len(message) < 2000, message
    if code == 2:
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "problems.jsonl",
            "samples.jsonl",
        ]
