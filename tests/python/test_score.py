"""Scoring files: every sample has its row, bad input is named, and a killed run ends the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from results_fixture import validate
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import Row, read_jsonl, write_jsonl
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet, load_problem_file
from sigil_eval.run_folder import RunFolder
from sigil_eval.scoring.forms import completion_in_form
from sigil_eval.scoring.score import score_files
from sigil_eval.settings import ClippyMode

REPOSITORY = Path(__file__).resolve().parents[2]
TODO = "    todo!()\n}\n"


def sample(task: int, completion: str, **more: object) -> Row:
    return {"task_id": f"HumanEval/{task}", "completion": completion, **more}


def rows_of(path: Path) -> list[Row]:
    return [row for _, row in read_jsonl(path)]


@pytest.fixture(scope="module")
def scored(
    tmp_path_factory: pytest.TempPathFactory, judge: Judge, humaneval: ProblemSet
) -> dict[str, list[Row]]:
    """Results of a small file, by mode."""
    folder = tmp_path_factory.mktemp("score")
    right = completion_in_form(humaneval.problems[0], "body")
    write_jsonl(
        folder / "answers.jsonl",
        [
            sample(0, right, temperature=0.2),
            sample(1, TODO),
            sample(0, completion_in_form(humaneval.problems[0], "fence")),
            sample(0, "    let _ = std::process::id();\n" + right),
            sample(2, "I am sorry, I cannot answer that."),
            sample(0, right + '\nfn main() { println!("{:?}", 1); }\n'),
        ],
    )
    score_files({"answers": folder / "answers.jsonl"}, humaneval, folder, judge)
    return {
        mode: rows_of(folder / mode / "answers_results.jsonl") for mode in ("no-policy", "policy")
    }


def test_every_sample_has_a_row_in_both_modes_in_order(scored: dict[str, list[Row]]) -> None:
    for rows in scored.values():
        assert [row["task_id"] for row in rows] == [f"HumanEval/{i}" for i in (0, 1, 0, 0, 2, 0)]
        assert [row["completion_id"] for row in rows] == [0, 0, 1, 2, 0, 3]


def test_rows_are_what_their_schema_promises(scored: dict[str, list[Row]]) -> None:
    for row in (*scored["no-policy"], *scored["policy"]):
        validate(row, "result_row")


def test_verdicts_are_the_same_but_for_the_policy(scored: dict[str, list[Row]]) -> None:
    free = [row["passed"] for row in scored["no-policy"]]
    strict = [row["passed"] for row in scored["policy"]]
    assert free == [True, False, True, True, False, True]
    assert strict == [True, False, True, False, False, True]


def test_a_rejected_sample_says_what_and_where(scored: dict[str, list[Row]]) -> None:
    row = scored["policy"][3]
    assert row["error_type"] == "policy_violation" and row["compile_ok"] is False
    finding = row["policy_findings"][0]
    assert finding["category"] == "process"
    code = row["code"].encode()
    assert b"std::process" in code[finding["start"] : finding["end"]]
    assert scored["no-policy"][3]["policy_findings"] == row["policy_findings"]


def test_unknown_fields_are_carried_through(scored: dict[str, list[Row]]) -> None:
    assert scored["policy"][0]["temperature"] == 0.2


def test_the_same_answer_in_two_forms_is_one_program(scored: dict[str, list[Row]]) -> None:
    rows = scored["no-policy"]
    assert rows[0]["program_sha256"] == rows[2]["program_sha256"] == rows[5]["program_sha256"]
    assert [row["main_free"] for row in rows] == [True, True, True, True, True, False]


def test_prose_without_code_still_has_a_row(scored: dict[str, list[Row]]) -> None:
    row = scored["no-policy"][4]
    assert row["outcome"] == "failed"
    assert row["error_type"] in ("extraction_failure", "compile_error")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"task_id": "HumanEval/0", "completion"', r":2: not valid JSON"),
        ('{"task_id": "HumanEval/999", "completion": ""}', r":2: task_id 'HumanEval/999' is not"),
        ('{"task_id": "HumanEval/0"}', r":2: field 'completion' is missing"),
        ('{"task_id": 7, "completion": ""}', r":2: field 'task_id' is missing or not a string"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(
    tmp_path: Path, judge: Judge, humaneval: ProblemSet, line: str, reason: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"task_id": "HumanEval/0", "completion": "}"}\n' + line + "\n")
    with pytest.raises(UsageError, match=rf"bad\.jsonl{reason}"):
        score_files({"bad": path}, humaneval, tmp_path / "out", judge)
    assert not (tmp_path / "out").exists()


def test_verdicts_given_under_other_conditions_are_not_reused(
    tmp_path: Path, judge: Judge, humaneval: ProblemSet
) -> None:
    path = tmp_path / "one.jsonl"
    write_jsonl(path, [sample(0, completion_in_form(humaneval.problems[0], "body"))])
    assert score_files({"one": path}, humaneval, tmp_path, judge).judged == 1
    assert score_files({"one": path}, humaneval, tmp_path, judge).judged == 0
    journal = RunFolder(tmp_path).verdicts
    journal.write_text(journal.read_text().replace("rustc", "gustc"))
    assert score_files({"one": path}, humaneval, tmp_path, judge).judged == 1


def corpus(humaneval: ProblemSet) -> list[Row]:
    """Samples of many kinds, with repetition."""
    pick = random.Random(5)
    rows = []
    for number, problem in enumerate(humaneval.problems[:24]):
        answers = [
            completion_in_form(problem, "body"),
            completion_in_form(problem, "fence"),
            "    Default::default()\n}\n",
            TODO,
            f"    let broken{number} = ;\n}}\n",
        ]
        rows += [sample(number, pick.choice(answers)) for _ in range(5)]
    return rows


SCORE_SCRIPT = """\
import sys
from pathlib import Path
from sigil_eval.problems import load_problem_set
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.scoring.score import score_files
samples, output = map(Path, sys.argv[1:])
with Judge(JudgeSettings(batch_size=8)) as judge:
    score_files({"s": samples}, load_problem_set("humaneval-rust"), output, judge)
"""


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_with_the_same_bytes(
    tmp_path: Path, humaneval: ProblemSet
) -> None:
    samples = tmp_path / "samples.jsonl"
    write_jsonl(samples, corpus(humaneval))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}

    def start(output: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SCORE_SCRIPT, str(samples), str(output)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    def check(output: Path) -> None:
        for mode in ("no-policy", "policy"):
            expected = (tmp_path / "whole" / mode / "s_results.jsonl").read_bytes()
            assert (output / mode / "s_results.jsonl").read_bytes() == expected
            assert len(expected.splitlines()) == 120
        assert not list(output.rglob("*.part"))

    began = time.monotonic()
    assert start(tmp_path / "whole").wait(timeout=120) == 0
    whole = time.monotonic() - began
    pick = random.Random(11)
    kills, finished = 0, 0
    while kills < 20:
        output = tmp_path / f"killed{finished}"
        process = start(output)
        try:
            assert process.wait(timeout=pick.uniform(0.1, 0.8) * whole) == 0
            check(output)
            finished += 1
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert start(output).wait(timeout=120) == 0
    check(output)


def with_clippy(judge: Judge, folder: Path, mode: ClippyMode) -> list[Row]:
    """The results of a clean answer, one with lints, one that allows them, and a wrong one."""
    clean = "    numbers.iter().sum()\n}\n"
    loop = "let mut s = 0; for i in 0..numbers.len() { s = s + numbers[i]; } return s;"
    whole = "fn total(numbers: &[i32]) -> i32"
    if mode != "off" and not judge.toolchain.clippy.exists():
        pytest.skip("this toolchain came without clippy")
    write_jsonl(
        folder / "problems.jsonl",
        [
            {
                "task_id": "T/0",
                "prompt": f"{whole} {{\n",
                "canonical_solution": clean,
                "test": "#[test] fn t() { assert_eq!(total(&[1, 2]), 3); }\n",
                "entry_point": "total",
            }
        ],
    )
    answers = [clean, f"{loop}\n}}\n", f"#[allow(clippy::all)]\n{whole} {{ {loop} }}", TODO]
    write_jsonl(folder / "a.jsonl", [{"task_id": "T/0", "completion": a} for a in answers])
    problems = load_problem_file(folder / "problems.jsonl")
    usual = judge.settings
    judge.settings = replace(usual, clippy=mode)
    try:
        score_files({"a": folder / "a.jsonl"}, problems, folder / mode, judge, ("no-policy",))
    finally:
        judge.settings = usual
    return rows_of(folder / mode / "no-policy/a_results.jsonl")


def test_clippy_is_silent_unless_asked(tmp_path: Path, judge: Judge) -> None:
    rows = with_clippy(judge, tmp_path, "off")
    assert [(row["passed"], row["clippy_ok"]) for row in rows] == [
        (True, None),
        (True, None),
        (True, None),
        (False, None),
    ]


def test_clippy_advises(tmp_path: Path, judge: Judge) -> None:
    rows = with_clippy(judge, tmp_path, "advisory")
    assert [(row["passed"], row["clippy_ok"]) for row in rows] == [
        (True, True),
        (True, False),
        (True, False),
        (False, True),
    ]
    assert rows[1]["clippy_lints"] == [
        "clippy::assign_op_pattern",
        "clippy::needless_range_loop",
        "clippy::needless_return",
    ]
    assert rows[2]["clippy_lints"] == rows[1]["clippy_lints"]


def test_clippy_can_be_required(tmp_path: Path, judge: Judge) -> None:
    rows = with_clippy(judge, tmp_path, "required")
    assert [(row["passed"], row["error_type"]) for row in rows] == [
        (True, None),
        (False, "lint_failure"),
        (False, "lint_failure"),
        (False, "runtime_error"),
    ]
    assert "needless_return" in rows[1]["result"]


def test_a_toolchain_without_clippy_is_named(tmp_path: Path, judge: Judge) -> None:
    bare = replace(judge.toolchain, rustc=tmp_path / "rustc")
    with pytest.raises(PreflightError, match="rustup component add clippy --toolchain"):
        bare.require_clippy()
