"""A benchmark that stands in the training data is seen in every report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plants import verbatim

from results_fixture import (
    HOSTILE,
    PROBLEMS,
    counted,
    good_results,
    make_metadata,
    make_run,
    validate,
    visible,
)
from sigil_eval.cli import main
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.problems import ProblemSet
from sigil_eval.record.training_data import deviations_of_data, found_check, training_data

REPOSITORY = Path(__file__).resolve().parents[2]
SEEN = [problem.task_id for problem in PROBLEMS.problems[:4]]


def record(**changes: Any) -> dict[str, Any]:
    known = {
        "check": "dataset_check.json",
        "check_sha256": "a" * 64,
        "files": ["train.jsonl"],
        "rows": 100,
        "tasks": SEEN,
    }
    return known | changes


@pytest.fixture
def checked(tmp_path: Path, humaneval: ProblemSet) -> Path:
    """The check of data in which two answers were planted."""
    rows = [verbatim(humaneval.by_id[f"HumanEval/{number}"]) for number in (0, 10)]
    data, output = tmp_path / "train.jsonl", tmp_path / "dataset_check.json"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["dataset", "check", str(data), "--output", str(output)]) == 5
    return output


def test_what_a_check_found_of_the_problems_is_put_on_record(
    checked: Path, humaneval: ProblemSet, sigil_rust: ProblemSet
) -> None:
    known = training_data(checked, humaneval)
    assert known == {
        "check": "dataset_check.json",
        "check_sha256": sha256_file(checked),
        "files": ["train.jsonl"],
        "rows": 2,
        "tasks": ["HumanEval/0", "HumanEval/10"],
    }
    [deviation] = deviations_of_data(known)
    assert deviation.actual == "2 of them, by dataset_check.json"
    assert training_data(checked, replace(humaneval, name="the same problems")) == known
    other = training_data(checked, sigil_rust)
    assert not set(other["tasks"]) & set(humaneval.by_id)
    assert deviations_of_data(training_data(checked, humaneval) | {"tasks": []}) == []
    assert deviations_of_data(None) == []


def test_a_check_of_other_problems_says_nothing_of_these(checked: Path) -> None:
    with pytest.raises(UsageError, match="were not looked for; check the data again"):
        training_data(checked, PROBLEMS)
    checked.write_text('{"schema_version": 2}')
    with pytest.raises(UsageError, match=r"dataset_check\.json: files: is missing"):
        training_data(checked, PROBLEMS)


def test_a_check_is_found_with_the_checkpoint_or_beside_it(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint-500"
    assert found_check(str(checkpoint)) is None
    checkpoint.mkdir()
    assert found_check(str(checkpoint)) is None
    beside, inside = tmp_path / "dataset_check.json", checkpoint / "dataset_check.json"
    beside.touch()
    assert found_check(str(checkpoint)) == beside
    inside.touch()
    assert found_check(str(checkpoint)) == inside
    assert found_check("org/adapter") is None


def test_scores_on_what_was_seen_stand_apart_at_the_head_of_every_report(tmp_path: Path) -> None:
    results = {
        "base": counted([2] * 4 + [1] * 16, 4),
        "finetuned": counted([4] * 4 + [0] * 16, 4),
    }
    reports = make_run(tmp_path, results, make_metadata(training_data=record()))
    head = "4 of 20 problems stand in the training data. Scores on them may show memory; only"
    for name, text in reports.items():
        shown = visible(text) if name.endswith(".html") else text
        assert "BENCHMARK IN THE TRAINING DATA" in shown
        said = " ".join(shown.split())
        assert head in said
        figures = "In the data (4)", "Not in the data (16)", "50.0 %", "25.0 %", "100.0 %", "+50.0"
        place = said.index(head)
        for figure in figures:
            place = said.index(figure, place, place + 300)
        assert "(benchmark in the training data)" in text.split("\n")[0] or name.endswith(".html")
        assert "Problems in the training data" in shown
    for text in (reports["no-policy/comparison_report.md"], reports["combined_summary.md"]):
        assert "|  |  | In the data (4) | Not in the data (16) |" in text
        [base, tuned, difference] = [
            line.split(" | ")[2:]
            for line in text.split("|  |  | In the data (4)")[1].split("\n")[2:5]
        ]
        assert base[0].startswith("50.0 %") and base[1].startswith("25.0 %")
        assert tuned[0].startswith("100.0 %") and tuned[1].startswith("0.0 %")
        assert difference[0].startswith("+50.0") and difference[1].startswith("−25.0")


@pytest.mark.parametrize("tasks", [SEEN, [problem.task_id for problem in PROBLEMS.problems]])
def test_a_part_without_scores_has_none(tasks: list[str], tmp_path: Path) -> None:
    """One of the models has no samples of what was seen."""
    results = good_results()
    results["finetuned"] = [row for row in results["finetuned"] if row["task_id"] not in tasks]
    reports = make_run(tmp_path, results, make_metadata(training_data=record(tasks=tasks)))
    assert "| Fine-tuned | pass@1 | none |" in reports["combined_summary.md"]


def test_data_that_are_clean_are_no_proof(tmp_path: Path) -> None:
    clean = record(tasks=[], files=[HOSTILE])
    reports = make_run(tmp_path, good_results(), make_metadata(training_data=clean))
    summary = reports["combined_summary.md"]
    assert "None of the problems was found in the training data" in summary
    assert "BENCHMARK" not in summary
    assert "<script>document" not in reports["report.html"]
    without = make_run(tmp_path / "no", good_results(), make_metadata())["combined_summary.md"]
    assert "Problems in the training data" not in without


def test_a_strict_run_refuses_data_that_hold_the_benchmark(
    checked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [
        *("--base-model", str(REPOSITORY / "demo/models/base")),
        *("--checkpoint-path", str(REPOSITORY / "demo/models/adapter")),
    ]
    strict = ["--strict", "--device", "cpu", "--accepted-deviations", "device rust.crates"]
    asked = ["run", *models, *strict, "--check", "--dataset-check", str(checked)]
    assert main([*asked, "--output-dir", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "training-data: expected none of the problems in the training data" in said


def test_a_score_has_it_on_record(tmp_path: Path, checked: Path) -> None:
    """Of problems of one's own, as if they had been looked for."""
    problem = {
        "task_id": "Own/0",
        "prompt": "fn sum(x: i32, y: i32) -> i32 {\n",
        "canonical_solution": "    x + y\n}\n",
        "test": "#[test] fn t() { assert_eq!(sum(9, 2), 11); }\n",
        "entry_point": "sum",
    }
    own, samples = tmp_path / "own.jsonl", tmp_path / "samples.jsonl"
    own.write_text(json.dumps(problem) + "\n")
    samples.write_text(json.dumps({"task_id": "Own/0", "completion": "x + y }"}) + "\n")
    check = json.loads(checked.read_text())
    check["problem_sets"][0] |= {
        "name": own.name, "sha256": sha256_file(own), "errata_sha256": None,
    }  # fmt: skip
    check["tasks"][0] |= {"task_id": "Own/0", "problem_sets": [own.name]}
    checked.write_text(json.dumps(check))
    out = tmp_path / "out"
    given = ["--problem-file", str(own), "--dataset-check", str(checked)]
    assert main(["score", str(samples), *given, "--output-dir", str(out)]) == 0
    metadata = json.loads((out / "eval_metadata.json").read_text())
    validate(metadata, "eval_metadata")
    assert metadata["training_data"]["tasks"] == ["Own/0"]
    assert "training-data" in [deviation["id"] for deviation in metadata["deviations"]]
    assert "BENCHMARK IN THE TRAINING DATA" in (out / "combined_summary.md").read_text()
