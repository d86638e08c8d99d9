"""Scoring files: every sample has its row, bad input is named, and a killed run ends the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.files import Row, read_jsonl, write_jsonl
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.judge import Judge
from sigil_eval.scoring.proof import answer_in_form
from sigil_eval.scoring.score import JOURNAL_NAME, score_files

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
    right = answer_in_form(humaneval.problems[0], "body")
    write_jsonl(
        folder / "answers.jsonl",
        [
            sample(0, right, temperature=0.2),
            sample(1, TODO),
            sample(0, answer_in_form(humaneval.problems[0], "fence")),
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
    write_jsonl(path, [sample(0, answer_in_form(humaneval.problems[0], "body"))])
    assert score_files({"one": path}, humaneval, tmp_path, judge).judged == 1
    assert score_files({"one": path}, humaneval, tmp_path, judge).judged == 0
    journal = tmp_path / JOURNAL_NAME
    journal.write_text(journal.read_text().replace("rustc", "gustc"))
    assert score_files({"one": path}, humaneval, tmp_path, judge).judged == 1


def corpus(humaneval: ProblemSet) -> list[Row]:
    """A few hundred samples of many kinds, with repetition."""
    pick = random.Random(5)
    rows = []
    for number, problem in enumerate(humaneval.problems[:60]):
        answers = [
            answer_in_form(problem, "body"),
            answer_in_form(problem, "fence"),
            "    Default::default()\n}\n",
            TODO,
            f"    let broken{number} = ;\n}}\n",
        ]
        rows += [sample(number, pick.choice(answers)) for _ in range(5)]
    return rows


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bytes(
    tmp_path: Path, humaneval: ProblemSet
) -> None:
    samples = tmp_path / "samples.jsonl"
    write_jsonl(samples, corpus(humaneval))
    script = tmp_path / "score.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from sigil_eval.problems import load_problem_set\n"
        "from sigil_eval.scoring.judge import Judge, JudgeSettings\n"
        "from sigil_eval.scoring.score import score_files\n"
        "with Judge(JudgeSettings(batch_size=8)) as judge:\n"
        "    score_files({'s': Path(sys.argv[1])}, load_problem_set('humaneval-rust'),"
        " Path(sys.argv[2]), judge)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}

    def start(output: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(script), str(samples), str(output)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    began = time.monotonic()
    assert start(tmp_path / "whole").wait(timeout=120) == 0
    whole = time.monotonic() - began
    pick = random.Random(11)
    kills = 0
    for _ in range(8):
        process = start(tmp_path / "killed")
        time.sleep(pick.uniform(0.3, 0.6) * whole)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 2
    assert start(tmp_path / "killed").wait(timeout=120) == 0
    for mode in ("no-policy", "policy"):
        expected = (tmp_path / "whole" / mode / "s_results.jsonl").read_bytes()
        assert (tmp_path / "killed" / mode / "s_results.jsonl").read_bytes() == expected
        assert len(expected.splitlines()) == 300
    assert not list((tmp_path / "killed").rglob("*.part"))
    json.loads(expected.splitlines()[0])
