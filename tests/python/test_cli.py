"""The command line: it teaches, starts fast enough to be pleasant, and names what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sigil_eval.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = ["--base-model", str(REPOSITORY / "demo/models/base")]
ADAPTER = ["--checkpoint-path", str(REPOSITORY / "demo/models/adapter")]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sigil_eval.cli", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["scor"],
        ["dataset", "check", "--outptu", "x"],
        ["run", "--num-sample", "3"],
        ["run", "--num-samples", "many"],
        ["score", "x", "--policy-only", "--no-policy-only"],
        ["score", "--config", "/no/such/file.toml", "x"],
    ],
)
def test_help_and_a_usage_error_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; from sigil_eval.cli import main; main({arguments});"
        "print([m for m in ('torch', 'transformers', 'numpy', 'scipy', 'tree_sitter', 'jinja2')"
        " if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_results_are_json_and_what_is_said_besides_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["problems", "HumanEval/4", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["entry_point"] == "mean_absolute_deviation"
    assert shown["errata"][-1]["why"]
    assert main(["problems", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 164
    assert main(["run", *DEMO, *ADAPTER, "--check", "--json", "--k", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["device"]
    assert main(["problems", "HumanEval/4"]) == 0  # the next command speaks to people again
    assert "erratum: " in capsys.readouterr().out


def test_verbose_says_where_a_value_comes_from_and_where_an_error_arose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_MODE", "none")
    assert main(["verify", "-v", "--timeout", "3"]) == 3
    said = capsys.readouterr().err
    assert "timeout = 3.0, as typed" in said
    assert "sandbox_mode = none, from the environment" in said
    assert "n_workers" not in said
    assert "Traceback" in said


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", *DEMO, *ADAPTER, "--num-samples", "3", "--k-values", "1,5"], 2, "pass@5 needs"),
        (["run", "--base-model", "/no/such/model", *ADAPTER], 2, "/no/such/model"),
        (["run", "--skip-base", "--skip-finetuned"], 2, "leave nothing to do"),
        (["run", "--problem-set", "nope"], 2, "nope must be one of humaneval-rust"),
        (["score", "/no/such/file.jsonl"], 2, "/no/such/file.jsonl: no such file"),
        (["score", "--k", "0", "x"], 2, "k must be at least 1"),
        (["score"], 2, "Missing argument 'SAMPLES...'"),
        (["score", "-", "-"], 2, "standard input (`-`) can be read once"),
        (["score", "a", "b", "--name", "one"], 2, "--name was given 1 times for 2 files"),
        (["score", "a", "b", "--name", "x y", "--name", "x-y"], 2, "two models have one name"),
        (["score", "x", "--timeout", "1e9"], 2, "1e9 must be above 0 and at most 86400"),
        (["score", "x", "--timeout", "nan"], 2, "nan must be above 0 and at most 86400"),
        (["problems", "HumanEval/999"], 2, "no problem 'HumanEval/999'"),
        (["generate"], 2, "--output"),
        (["report", "/no/such/folder"], 2, "/no/such/folder: no such folder"),
        (["compare", "/no/such/folder"], 2, "/no/such/folder: no results here"),
        (["compare", "x", "x"], 2, "the same folder was given twice"),
        (["export", "/no/such/folder"], 2, "/no/such/folder: no results here"),
        (["reproduce", "/no/such/folder"], 2, "/no/such/folder: no results here"),
        (["reproduce", "x", "--samples", "-1"], 2, "-1 must not be negative"),
        (["verify", "--sandbox-mode", "none"], 3, "--allow-no-sandbox"),
        (["run", "--sandbox-mode", "none", "--base-model", "/none"], 3, "--allow-no-sandbox"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
        (["scor"], 2, "Did you mean 'score'?"),
        (["dataset", "chek", "x"], 2, "Did you mean 'check'?"),
        (["run", "--num-sample", "3"], 2, "Did you mean '--num-samples'?"),
        (["run", "--num-samples", "many"], 2, "'many' is not a whole number"),
        (["run", "--num-samples", "0"], 2, "0 must be at least 1"),
        (["run", "--temperature", "nan"], 2, "nan must not be negative"),
        (["run", "--top-p", "1.1"], 2, "1.1 must be above 0 and at most 1"),
        (["run", "--engine", "magic"], 2, "magic must be one of auto, hf, hf-static, vllm"),
        (["run", "--policy-only", "--no-policy-only"], 2, "cannot be given together"),
        (
            ["problems", "--problem-set", "sigil-rust", "--problem-file", "y"],
            2,
            "--problem-set and --problem-file cannot be given together",
        ),
        (["score", "x", "--problem-set", "sigil"], 2, "Did you mean 'sigil-rust'?"),
        (["run", "--attention", "flash"], 2, "flash must be one of auto, sdpa, flash_attention_2"),
        (["problems", "HumanEval/12x"], 2, "Did you mean 'HumanEval/12'?"),
        (["run", "--num-s", "3"], 2, "No such option '--num-s'"),
        (["env", "-q", "-v"], 2, "-q and -v cannot be given together"),
    ],
)
def test_a_bad_request_is_named_with_its_exit_code(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    if arguments[0] == "run":
        arguments = [*arguments, "--output-dir", str(tmp_path / "out")]
    ended = run(*arguments)
    assert ended.returncode == code, ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_question_that_nobody_answers_is_not_an_answer() -> None:
    """A terminal at which Ctrl-D is pressed."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "wb", buffering=0) as terminal:
        terminal.write(b"\x04")
        ended = subprocess.run(
            [sys.executable, "-m", "sigil_eval.cli", "verify", "--sandbox-mode", "none"],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "NONINTERACTIVE": ""},
            capture_output=True,
            text=True,
            stdin=theirs,
            timeout=120,
        )
    os.close(theirs)
    assert ended.returncode == 3
    assert "nobody accepted that" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_firejail_ends_with_the_way_out(tmp_path: Path) -> None:
    """The message says how to install it, and how to go without it."""
    ended = run("sandbox-check", SIGIL_FIREJAIL=str(tmp_path / "firejail"))
    assert ended.returncode == 3
    assert "apt-get install firejail" in ended.stderr


def test_too_little_disk_is_said_before_anything_runs(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(small)])
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    try:
        ended = run(
            "run", *DEMO, *ADAPTER, "--num-samples", "1", "--k-values", "1",
            "--output-dir", str(small / "out"),
        )  # fmt: skip
        assert ended.returncode == 3
        assert "MiB are free" in ended.stderr
        assert list((small / "out").rglob("*.jsonl")) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


DEVIATIONS = "rust\trustc 1.95.0\trustc 1.63.0\tother programs\npython\t3.12.11\t3.12.1\tother\n"


@pytest.mark.parametrize(
    ("accepted", "refused", "passed"),
    [
        ("", ("rust", "python", "device"), ()),
        ("rust", ("python", "device"), ("rust",)),
        ("rust,python", ("device",), ("rust", "python")),
        ("python  device", ("rust",), ("python", "device")),
        ("rus pyth devices", ("rust", "python", "device"), ()),
    ],
)
@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_strict_run_refuses_what_is_not_accepted_before_anything_is_done(
    tmp_path: Path, accepted: str, refused: tuple[str, ...], passed: tuple[str, ...], by: str
) -> None:
    (tmp_path / "deviations.tsv").write_text(DEVIATIONS)
    option = ["--accepted-deviations", accepted] if by == "option" else []
    environment = {"ACCEPTED_DEVIATIONS": "" if by == "option" else accepted}
    ended = run(
        "run", "--strict", *DEMO, *ADAPTER, "--num-samples", "1", "--k-values", "1",
        "--provision-state", str(tmp_path), "--output-dir", str(tmp_path / "out"), *option,
        "--device", "cpu", **environment,
    )  # fmt: skip
    assert ended.returncode == 3
    for name in refused:
        assert f"\n  {name}: expected" in ended.stderr
    for name in passed:
        assert f"\n  {name}: expected" not in ended.stderr
    assert not (tmp_path / "out").exists()


def test_what_the_run_itself_finds_is_refused_once_each(tmp_path: Path) -> None:
    """The provisioning records the same facts under the same ids."""
    (tmp_path / "deviations.tsv").write_text(
        "rust.crates\tcrates\tnone\tfive problems\nsandbox\tFirejail\tnone\tunprotected\n"
        "platform.gpu\tNVIDIA H100\tnone\tslow\n"
    )
    ended = run(
        "run", "--strict", *DEMO, *ADAPTER, "--num-samples", "1", "--k-values", "1",
        "--sandbox-mode", "none", "--allow-no-sandbox", "--output-dir", str(tmp_path / "out"),
        "--provision-state", str(tmp_path), SIGIL_CRATES_DIR=str(tmp_path / "none"),
    )  # fmt: skip
    assert ended.returncode == 3
    found = re.findall(r"^  (\S+): expected", ended.stderr, re.MULTILINE)
    assert found == ["rust.crates", "sandbox", "platform.gpu"]


def test_a_problem_is_shown_with_its_errata(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problems", "HumanEval/4"]) == 0
    shown = capsys.readouterr().out
    assert "mean_absolute_deviation" in shown
    assert "without its absolute value" in shown
    assert main(["problems", "--problem-set", "sigil-rust", "Fix/9f8b7b6e3441"]) == 0
    assert "published as the whole source file" in capsys.readouterr().out
    assert main(["problems", "HumanEval/65"]) == 0
    shown = capsys.readouterr().out
    assert "  the prompt says: If shift > number of digits, return digits reversed." in shown
    assert '  circular_shift(97, 8) is "79"; original "79", evalplus "79"' in shown
    assert main(["problems", "HumanEval/38"]) == 0
    assert "flagged: The original's prompt holds this helper's whole" in capsys.readouterr().out


def test_one_file_is_scored_end_to_end(tmp_path: Path) -> None:
    samples = tmp_path / "answers.jsonl"
    rows = [
        {"task_id": "HumanEval/53", "completion": "    x + y\n}\n"},
        {"task_id": "HumanEval/23", "completion": "    strings.len() as i32\n}\n"},
        {"task_id": "HumanEval/23", "completion": "    0\n}\n"},
    ]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = run("score", str(samples), "--timeout", "5", "--allow-partial", "--prove-again")
    assert ended.returncode == 0, ended.stderr
    metrics = json.loads((tmp_path / "answers_scored/no-policy/metrics.json").read_text())
    assert metrics["k_values"] == [1]
    assert re.search(r"proved: ([0-9]+) of \1 reference answers pass", ended.stderr)
    results = tmp_path / "answers_scored/policy/answers_results.jsonl"
    verdicts = [json.loads(line)["passed"] for line in results.read_text().splitlines()]
    assert verdicts[1:] == [True, False]


@pytest.mark.parametrize("script", ["evaluate_humaneval", "generate_samples"])
def test_a_script_runs_the_package_of_its_own_checkout(script: str, tmp_path: Path) -> None:
    other = tmp_path / "sigil_eval"
    other.mkdir()
    (other / "__init__.py").touch()
    (other / "cli.py").write_text("def main(words):\n    print('another')\n    return 0\n")
    path = Path(__file__).resolve().parents[2] / "scripts" / f"{script}.py"
    finished = subprocess.run(
        [sys.executable, str(path), "--help"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: sigil-eval" in finished.stdout
