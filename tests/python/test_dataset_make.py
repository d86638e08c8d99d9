"""Training data are made of crates: real cargo in the real sandbox; the registry is a stub."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.dataset import check_dataset, is_clean
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import read_json, read_jsonl
from sigil_eval.judging.process import Finished
from sigil_eval.making import fetch, gate
from sigil_eval.making.crate_list import Crate, read_crates
from sigil_eval.making.gate import Judged, open_gate
from sigil_eval.making.make import Request, make_dataset
from sigil_eval.problems import ProblemSet

pytest.importorskip("sigil_pipeline", reason="sigil-pipeline is not installed")

CRATES = Path(__file__).with_name("data") / "crates"
ALL = ("tiny@1.0.0", "broken@1.0.0", "other@1.0.0")


class Registry:
    """What is asked of the crates registry, answered with packed folders."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.files = {
            folder.name: {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file()
            }
            for folder in CRATES.iterdir()
        }

    def get(self, url: str, **_more: object) -> Any:
        assert url.startswith("https://static.crates.io/crates/"), "the web API is not asked"
        name = url.split("/")[4]
        self.asked.append(name)
        if name not in self.files:
            raise requests.HTTPError(f"403 for {url}")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path, data in self.files[name].items():
                entry = tarfile.TarInfo(f"{name}-1.0.0/{path}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return SimpleNamespace(content=packed.getvalue(), raise_for_status=lambda: None)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    from sigil_pipeline import crawler

    stub = Registry()
    monkeypatch.setattr(crawler.requests, "get", stub.get)
    monkeypatch.setattr(crawler, "CRATES_IO_RATE_LIMIT_SECONDS", 0)
    monkeypatch.setattr(crawler, "MAX_RETRIES", 1)
    yield stub


def request_for(folder: Path, *crates: str, **more: Any) -> Request:
    """A request for `folder`/data."""
    names = folder / "crates.txt"
    names.write_text("".join(f"{crate}\n" for crate in crates), encoding="utf-8")
    return Request(names, folder / "data", **{"seed": 1, "val_share": 0.5, **more})


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """The rows of both splits."""
    return [row for file in sorted(folder.glob("[tv]*.jsonl")) for _, row in read_jsonl(file)]


def written_in(folder: Path) -> dict[str, bytes]:
    """What was made, without what is kept to go on."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("[!.]*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("serde\n", 1, "'serde' is no crate at a version"),
        ("a@1.0.0\n\nserde@1\n", 3, "'serde@1' is no crate at a version"),
        ("Inflector@1.0.0", 1, "in lower case"),
        ("a@1.0.0/../../x", 1, "no crate at a version"),
        ("a@1.0.0 b@1.0.0", 1, "no crate at a version"),
        ("a@1.0.0\n# more\na@1.0.0\n", 3, r"a@1\.0\.0 is in line 1, too"),
        ("a@1.0.0\n\u2028\n", 2, "no crate at a version"),
    ],
)
def test_a_line_that_is_no_crate_is_refused(
    text: str, line: int, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "crates.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=rf"crates\.txt:{line}: .*{reason}"):
        read_crates(path)


def test_a_list_has_remarks_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "crates.txt"
    path.write_bytes(b"# ours\r\n\r\n  a_b-c@1.2.3  # why\r\nd@0.1.0-rc.1+x\n")
    assert read_crates(path) == [Crate("a_b-c", "1.2.3"), Crate("d", "0.1.0-rc.1+x")]
    path.write_bytes(b"# none\n")
    with pytest.raises(UsageError, match="names no crates"):
        read_crates(path)


def test_rows_are_made_and_pass_the_check(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = request_for(tmp_path, *ALL)
    command = ["dataset", "make", str(request.crates), "--output-dir", str(request.folder)]
    assert main([*command, "--seed", "1", "--val-share", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "rows of 2 of 3 crates" in said
    assert "broken@1.0.0: does not compile: mismatched types" in said
    assert "Not made, because a language model would have to" in said

    made = read_json(request.folder / "dataset_made.json")
    validate(made, "dataset_made")
    assert made["rejected_crates"] == {"does not compile": 1}
    assert [one["split"] for one in made["crates"]] in (
        ["train", None, "val"],
        ["val", None, "train"],
    )
    tiny = made["crates"][0]
    assert (tiny["license"], tiny["files"], tiny["left_out"]) == ("MIT", 2, {"a test": 3})
    files = [request.folder / file["name"] for file in made["files"]]
    assert [path.name for path in files] == ["train.jsonl", "val.jsonl"]
    assert is_clean(check_dataset(files, workers=1))

    rows = rows_in(request.folder)
    assert {row["_source_crate"] for row in rows} == {"tiny", "other"}
    whole = "\n".join(row["prompt"] + row["gen"] for row in rows)
    assert all(name in whole for name in ("long_words", "fn pour", "largest_step", "banner"))
    assert "in_" not in whole, "tests, benches and examples are left out"
    assert "fn level" not in whole, "a body of one line is no task"
    assert "fn drawn" not in whole, "moved to the margin, its text would be another"
    assert "does_not_compile" not in whole


def test_each_task_gives_the_functions_own_code(registry: Registry, tmp_path: Path) -> None:
    source = (CRATES / "tiny" / "src" / "lib.rs").read_text("utf-8")
    kinds = set()
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        request = request_for(folder, "tiny@1.0.0", seed=seed)
        make_dataset(request)
        for row in rows_in(request.folder):
            if row["_file_path"] == "src/lib.rs" and "pour" in row["prompt"] + row["gen"]:
                kinds.add(row["_task_type"])
                for line in row["gen"].strip().split("\n"):
                    assert line in source
                if row["_task_type"] == "code_completion":
                    assert row["prompt"].startswith("// In `impl Barrel`:\n/// Pours water in")
                    assert row["prompt"].endswith("pub fn pour(&mut self, litres: u32) -> u32 {\n")
                    assert row["gen"].startswith("    let wanted") and row["gen"].endswith("\n}")
    assert kinds == {"code_completion", "code_generation", "fill_in_middle"}


def test_the_same_crates_give_the_same_bytes(registry: Registry, tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    for folder in (first, second, other):
        folder.mkdir()
    make_dataset(request_for(first, *ALL))
    make_dataset(request_for(second, *ALL))
    make_dataset(request_for(other, *ALL, seed=2))
    assert written_in(first / "data") == written_in(second / "data")
    of_tiny = [
        [row for row in rows_in(folder / "data") if row["_source_crate"] == "tiny"]
        for folder in (first, other)
    ]
    assert of_tiny[0] != of_tiny[1]


def test_what_was_read_is_not_read_again(registry: Registry, tmp_path: Path) -> None:
    """The last crate cannot be had; when it can, only it is fetched, and all is as if it had been
    there at once."""
    away = registry.files.pop("other")
    request = request_for(tmp_path, *ALL)
    with pytest.raises(PreflightError, match="1 of 3 crates could not be looked into: other@1"):
        make_dataset(request)
    assert written_in(request.folder) == {}
    registry.files["other"] = away
    registry.asked.clear()
    make_dataset(request)
    assert registry.asked == ["other"]

    at_once = tmp_path / "at_once"
    at_once.mkdir()
    make_dataset(request_for(at_once, *ALL))
    assert written_in(request.folder) == written_in(at_once / "data")
    with pytest.raises(UsageError, match="begun with another seed"):
        make_dataset(request_for(tmp_path, *ALL, seed=2))


def test_crates_without_rows_are_an_error(registry: Registry, tmp_path: Path) -> None:
    request = request_for(tmp_path, "broken@1.0.0")
    with pytest.raises(UsageError, match=r"no rows to train on: broken@1\.0\.0 \(does not compile"):
        make_dataset(request)
    assert written_in(request.folder) == {}


def test_what_holds_the_benchmark_is_left_out(
    registry: Registry, tmp_path: Path, humaneval: ProblemSet
) -> None:
    problem = humaneval.by_id["HumanEval/0"]
    code = problem.prompt + problem.canonical_solution
    registry.files["other"]["src/planted.rs"] = code.encode()
    registry.files["other"]["src/turned.rs"] = (
        "pub fn turned(a: u8) -> u8 {\n    // \u202e\n    let b = a;\n    b\n}\n".encode()
    )
    made = make_dataset(request_for(tmp_path, "tiny@1.0.0", "other@1.0.0"))
    assert made["rejected_rows"]["benchmark"] >= 1
    assert made["rejected_rows"]["unseen"] == 1
    assert "has_close_elements" not in str(rows_in(tmp_path / "data"))


def test_an_edition_that_sigil_pipeline_refuses(registry: Registry, tmp_path: Path) -> None:
    old = registry.files["other"]
    old["Cargo.toml"] = old["Cargo.toml"].replace(b"2021", b"2018")
    made = make_dataset(request_for(tmp_path, "tiny@1.0.0", "other@1.0.0"))
    assert made["rejected_crates"] == {"edition before 2021": 1}
    assert [file["name"] for file in made["files"]] == ["train.jsonl"], "no crate is left for val"


def test_half_a_crate_is_none(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands where a folder should be: sigil-pipeline gives up after Cargo.toml."""
    files = registry.files["other"]
    registry.files["other"] = {"Cargo.toml": files["Cargo.toml"], "src": b"", **files}
    with pytest.raises(PreflightError, match="could not be looked into: other@1"):
        make_dataset(request_for(tmp_path, "tiny@1.0.0", "other@1.0.0"))
    assert "other@1.0.0 was not fetched: Failed to extract" in capsys.readouterr().err


def test_a_build_script_runs_in_the_sandbox(registry: Registry, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    script = f'fn main() {{ std::fs::write("{outside}/written", "x").unwrap(); }}'
    registry.files["other"]["build.rs"] = script.encode()
    made = make_dataset(request_for(tmp_path, "tiny@1.0.0", "other@1.0.0"))
    assert made["rejected_crates"] == {"build script fails": 1}, made["crates"]
    assert not (outside / "written").exists()


def test_parquet_on_demand(registry: Registry, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    request = request_for(tmp_path, *ALL, parquet=True)
    made = make_dataset(request)
    before = written_in(request.folder)
    locks = {f"locks/{crate.replace('@', '-')}.lock" for crate in ALL}
    assert set(before) == {"train.parquet", "val.parquet", "dataset_made.json", *locks}
    found = check_dataset([request.folder / file["name"] for file in made["files"]], workers=1)
    assert is_clean(found)
    assert [one["rows"] for one in found["files"]] == [file["rows"] for file in made["files"]]
    make_dataset(request_for(tmp_path, *ALL))
    as_lines = {"train.jsonl", "val.jsonl", "dataset_made.json", *locks}
    assert set(written_in(request.folder)) == as_lines
    make_dataset(request)
    assert written_in(request.folder) == before


def test_a_folder_of_other_data_is_refused(registry: Registry, tmp_path: Path) -> None:
    request = request_for(tmp_path, *ALL)
    request.folder.mkdir()
    (request.folder / "train.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match=r"has train\.jsonl, which was not made here"):
        make_dataset(request)
    assert (request.folder / "train.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize("program", ["/bin/true", "/bin/false"])
def test_a_gate_that_does_not_run_is_an_error(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever cargo's exit status is: without its word on the crate, nothing is known."""
    monkeypatch.setattr(gate, "fetch_dependencies", lambda *_, **_more: None)
    real = gate.Gate.__init__

    def with_other_cargo(self: gate.Gate, *arguments: Any) -> None:
        real(self, *arguments)
        self._cargo = Path(program)

    monkeypatch.setattr(gate.Gate, "__init__", with_other_cargo)
    with pytest.raises(
        PreflightError, match=r"whether sigil-eval-tried@0\.0\.0 compiles is not known"
    ):
        with open_gate():
            pass


def _message(**message: object) -> str:
    return json.dumps(message)


ARTIFACT = _message(
    reason="compiler-artifact", manifest_path="/x/Cargo.toml", target={"kind": ["lib"]}
)
SCRIPT = ARTIFACT.replace('"lib"', '"custom-build"')
ERROR = _message(reason="compiler-message", message={"level": "error", "message": "bad"})
NO_LINK = _message(
    reason="compiler-message", message={"level": "error", "message": "linking with `cc` failed"}
)
GOOD, BAD = (_message(reason="build-finished", success=success) for success in (True, False))


@pytest.mark.parametrize(
    ("status", "lines", "stderr", "judged"),
    [
        (0, [ARTIFACT, GOOD], "", Judged(None)),
        (0, [GOOD], "", Judged("no library")),
        (0, [SCRIPT, GOOD], "", Judged("no library")),
        (0, [ARTIFACT], "", None),
        (1, [ARTIFACT, GOOD], "", None),
        (101, [ERROR, BAD], "", Judged("does not compile", "bad")),
        (101, ["{torn", ERROR, BAD], "", Judged("does not compile", "bad")),
        (101, [BAD], "signal: 9, SIGKILL", None),
        (101, [NO_LINK, BAD], "", None),
        (101, [ERROR], "", None),
        (127, [], "cargo: not found", None),
    ],
)
def test_a_crate_is_judged_by_what_cargo_says_of_it(
    status: int, lines: list[str], stderr: str, judged: Judged | None
) -> None:
    output = "".join(f"{line}\n" for line in lines).encode()
    finished = Finished(status, output, stderr.encode(), 0.0, False)
    assert gate._judged(finished, Path("/x")) == judged


def test_tools_are_asked_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    monkeypatch.setattr(fetch, "PIPELINE", "sigil-pipeline-that-is-not-here")
    with pytest.raises(UsageError, match="which is not here"):
        make_dataset(request_for(tmp_path, *ALL))
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="Parquet is written by pyarrow"):
        make_dataset(request_for(tmp_path, *ALL, parquet=True))
    monkeypatch.undo()
    monkeypatch.setenv("SIGIL_FIREJAIL", "firejail-that-is-not-here")
    with pytest.raises(PreflightError, match="Firejail is not installed"):
        make_dataset(request_for(tmp_path, *ALL))
    assert registry.asked == []


@pytest.mark.slow
def test_a_crate_of_the_registry(tmp_path: Path) -> None:
    try:
        requests.head("https://static.crates.io/crates/base16ct/base16ct-0.2.0.crate", timeout=10)
    except requests.RequestException as error:
        pytest.skip(f"the crates registry does not answer: {type(error).__name__}")
    request = request_for(tmp_path, "base16ct@0.2.0", "equivalent@1.0.2")
    made = make_dataset(request)
    assert made["crates"][0]["license"] == "Apache-2.0 OR MIT"
    assert made["rejected_crates"] == {"edition before 2021": 1}
    assert is_clean(check_dataset([request.folder / "train.jsonl"], workers=1))
