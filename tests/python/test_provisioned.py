"""What the set-up left is found from any shell, and what is missing is said, with the way out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from sigil_eval.cli import main
from sigil_eval.generation.engines.vllm import vllm_python
from sigil_eval.judging import sandbox
from sigil_eval.judging.crates import BENCHMARK_CRATES, find_crates
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.provisioned import VARIABLES, provided, setup_command
from sigil_eval.reporting.sections.answers import left_out

RUSTC = find_toolchain().rustc
NEEDS_RAND = {
    "task_id": "own/dice",
    "prompt": "fn dice() -> u32 {\n",
    "canonical_solution": "    rand::random::<u32>() % 6 + 1\n}\n",
    "test": "#[test]\nfn in_range() { for _ in 0..99 { assert!((1..7).contains(&dice())); } }\n",
    "entry_point": "dice",
    "crates": ["rand"],
}
NEEDS_NOTHING = {
    "task_id": "own/twice",
    "prompt": "fn twice(n: u32) -> u32 {\n",
    "canonical_solution": "    n * 2\n}\n",
    "test": "#[test]\nfn doubles() { assert_eq!(twice(4), 8); assert_eq!(twice(5), 10); }\n",
    "entry_point": "twice",
}


class Prefix:
    """An environment that eval_setup.sh has made, with a compiler and crates of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rustc = folder / "bin" / "rustc"
        self.rustc.parent.mkdir()
        self.rustc.symlink_to(RUSTC)
        self.crates = folder / "crates"
        self.crates.mkdir()
        for name in BENCHMARK_CRATES:
            (self.crates / f"lib{name}-1.rlib").touch()
        self.made_by(find_toolchain().version)
        self.write(rustc=self.rustc, crates=self.crates, sandbox_user="nobody-here")

    def write(self, **values: object) -> None:
        lines = "".join(f"{name}={value}\n" for name, value in values.items())
        (self.folder / "sigilderg.env").write_text(lines)

    def made_by(self, version: str) -> None:
        (self.crates / "made-from").write_text(f"{version} 0123abc\n")


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prefix:
    folder = tmp_path / "prefix"
    folder.mkdir()
    made = Prefix(folder)
    monkeypatch.setattr(sys, "prefix", str(folder))
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    return made


def rustc_stub(folder: Path, words: str) -> Path:
    folder.mkdir()
    (folder / "rustc").write_text(f"#!/bin/sh\n{words}\n")
    (folder / "rustc").chmod(0o755)
    return folder


def test_what_was_provisioned_beats_the_path_and_a_variable_beats_both(
    prefix: Prefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, the compiler on PATH is one that the sandbox's user cannot read."""
    on_path = rustc_stub(tmp_path / "path", "echo rustc 1.0.0")
    monkeypatch.setenv("PATH", f"{on_path}:{os.environ['PATH']}")
    found = find_toolchain()
    assert found.rustc == RUSTC
    assert found.found_by == str(prefix.folder / "sigilderg.env")
    assert set(find_crates(found).rlibs) == set(BENCHMARK_CRATES)
    monkeypatch.setenv("SIGIL_RUSTC", str(on_path / "rustc"))
    monkeypatch.setenv("SIGIL_CRATES_DIR", str(tmp_path))
    found = find_toolchain()
    assert (found.version, found.found_by) == ("rustc 1.0.0", "SIGIL_RUSTC")
    assert find_crates(found).rlibs == {}


def test_an_environment_that_nobody_provisioned_has_nothing(
    prefix: Prefix, monkeypatch: pytest.MonkeyPatch
) -> None:
    (prefix.folder / "sigilderg.env").unlink()
    assert [provided(name) for name in VARIABLES] == [None] * 4
    monkeypatch.setenv("SIGIL_CRATES_DIR", "")
    assert provided("crates") is None
    prefix.write(crates="/a=b/c")
    assert (found := provided("crates")) is not None and found.value == "/a=b/c"


def test_a_provisioned_compiler_that_is_gone_is_not_replaced_in_silence(
    prefix: Prefix,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prefix.rustc.unlink()
    monkeypatch.setenv("PATH", f"{rustc_stub(tmp_path / 'path', 'echo rustc 1.0.0')}:/usr/bin:/bin")
    assert find_toolchain().found_by == "PATH"
    said = capsys.readouterr().err
    assert f"{prefix.rustc} does not work" in said and "is used instead" in said


def test_crates_of_another_compiler_are_not_used(prefix: Prefix) -> None:
    prefix.made_by("rustc 1.63.0 (debian)")
    found = find_crates(find_toolchain())
    assert found.rlibs == {}
    assert "were made by rustc 1.63.0 (debian), which rustc " in found.fault


def test_the_provisioned_user_is_the_sandboxs(
    prefix: Prefix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(sandbox.PreflightError, match="'nobody-here', which does not exist"):
        sandbox.ordinary_identity()


def test_vllm_is_found_where_it_was_provisioned(prefix: Prefix) -> None:
    prefix.write(vllm_python=sys.executable)
    assert vllm_python() == Path(sys.executable)


def test_the_way_out_is_for_the_same_state_folder(prefix: Prefix, tmp_path: Path) -> None:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    (checkout / "eval_setup.sh").touch()
    prefix.write(checkout=checkout, state_dir=Path.home() / ".sigilderg")
    assert setup_command("--only rust") == f"bash '{checkout}/eval_setup.sh' --only rust"
    prefix.write(checkout=tmp_path, state_dir="/data/state")
    assert setup_command("--only rust") == "STATE_DIR=/data/state bash eval_setup.sh --only rust"


def test_problems_without_crates_are_named_with_the_reason_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problems, samples = tmp_path / "problems.jsonl", tmp_path / "samples.jsonl"
    both = (NEEDS_RAND, NEEDS_NOTHING)
    problems.write_text("".join(json.dumps(problem) + "\n" for problem in both))
    rows = [{"task_id": p["task_id"], "completion": p["canonical_solution"]} for p in both]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("SIGIL_CRATES_DIR", str(tmp_path))
    given = ["--problem-file", str(problems)]
    assert main(["score", str(samples), *given, "--k", "1", "--no-enforce-policy"]) == 0
    why = f"{tmp_path} has no rand, regex, md5"
    for command in ([], ["verify", *given]):
        assert not command or main(command) == 0
        said = capsys.readouterr().err
        assert "cannot be scored here: own/dice." in said
        assert why in said and "eval_setup.sh --only rust" in said
    metrics = json.loads((tmp_path / "samples_scored/no-policy/metrics.json").read_text())
    assert metrics["judge"]["crates_fault"] == why
    (line,) = left_out(metrics)
    assert "own/dice" in line and why in line and "sigil-eval env" in line


def test_env_says_what_is_here_and_where_it_comes_from(
    prefix: Prefix, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix.write(rustc=prefix.rustc, crates=prefix.crates, state_dir=prefix.folder)
    assert main(["env", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    file = str(prefix.folder / "sigilderg.env")
    assert str(RUSTC) in found["rustc"]["value"] and found["rustc"]["source"] == file
    assert found["crates"]["value"] == f"rand, regex, md5, {prefix.crates}"
    assert found["state folder"]["value"] == str(prefix.folder)
    assert list(found) == [
        "sigil-eval",
        "Python",
        "rustc",
        "crates",
        "Firejail",
        "sandbox user",
        "state folder",
        "GPU",
    ]
    assert not any(item["missing"] for item in found.values())
    assert main(["env"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in found) and file in shown


def test_env_says_what_is_missing_and_what_to_do(
    prefix: Prefix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix.write(state_dir=prefix.folder / "gone")
    monkeypatch.setenv("SIGIL_RUSTC", str(prefix.folder / "none"))
    monkeypatch.setenv("SIGIL_FIREJAIL", str(prefix.folder / "none"))
    assert main(["env", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert {name for name, item in found.items() if item["missing"]} == {
        "rustc",
        "crates",
        "Firejail",
        "state folder",
    }
    assert main(["env"]) == 3
    shown = capsys.readouterr().out
    assert "no working rustc found" in shown and "apt-get install firejail" in shown
    monkeypatch.delenv("SIGIL_FIREJAIL")
    monkeypatch.setenv("SIGIL_RUSTC", str(RUSTC))
    assert main(["env"]) == 0, "crates are no condition"
    assert "left out of every score" in capsys.readouterr().out
