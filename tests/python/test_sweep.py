"""A base and the checkpoints of a training run, summed up: figures, words, drawings, page."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from opened_page import DESK, PHONE, show
from results_fixture import HOSTILE, counted, make_metadata, make_problem_set, validate
from sigil_eval.cli import main
from sigil_eval.documents import Metrics
from sigil_eval.files import write_jsonl
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.run import load_run
from sigil_eval.reporting.sections.sweep import sweep_table
from sigil_eval.reporting.sweep import change_of
from sigil_eval.reporting.sweep_chart import heat_map, learning_curve
from sigil_eval.run_folder import RunFolder, result_stem
from sigil_eval.statistics import holm, paired_difference, sign_flip_test

AXE = os.environ.get("AXE_CORE")
PROBLEMS = make_problem_set(20)
# Of 4 samples of each problem, how many pass.
PASSED = {
    "base": [1] * 18 + [0, 4],
    "checkpoint-500": [1] * 17 + [3, 0, 4],
    "checkpoint-1000": [3] * 18 + [0, 4],
    "checkpoint-12000": [0] * 19 + [4],
}
STEPS = {"checkpoint-500": 500, "checkpoint-1000": 1000, "checkpoint-12000": 12000}


def write_sweep(folder: Path, **metadata: object) -> Path:
    """A sweep's folder with its reports."""
    files, results = RunFolder(folder), {}
    for label, passed in PASSED.items():
        results[label] = counted(passed, 4)
        for mode in ("no-policy", "policy"):
            write_jsonl(files.results(mode, result_stem(label)), results[label])
    for mode in ("no-policy", "policy"):
        none = dict.fromkeys(results, 0)
        found = build_metrics(
            mode, results, PROBLEMS, (1, 4), correct_but_rejected=none, steps=STEPS
        )
        write_metrics(files.metrics(mode), found)
    models = {
        label: {"name": "org/base", "adapter": None if label == "base" else f"run/{label}"}
        for label in PASSED
    }
    told = {"seed": 7, "num_samples": 4, "temperature": 0.2, "problem_set": "humaneval-rust"}
    kept = make_metadata(models=models, arguments=told, **metadata)
    files.metadata.write_text(json.dumps(kept), encoding="utf-8")
    write_reports(folder, PROBLEMS)
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "swept")


def metrics_of(folder: Path) -> Metrics:
    return load_run(folder).metrics["no-policy"]


def test_every_checkpoint_is_compared_with_the_base_and_with_the_best(sweep: Path) -> None:
    metrics = metrics_of(sweep)
    validate(metrics, "metrics")
    found = metrics["sweep"]
    assert [point["step"] for point in found["points"]] == [500, 1000, 12000]
    assert found["best"] == "checkpoint-1000"
    base, *others = ([passed / 4 for passed in counts] for counts in PASSED.values())
    ps = [sign_flip_test(base, other, 0).p for other in others]
    for point, other, p, adjusted in zip(found["points"], others, ps, holm(ps), strict=True):
        against = point["against_base"]
        assert against is not None
        assert against["difference"]["mean"] == pytest.approx(paired_difference(base, other).mean)
        assert (against["p"], against["p_adjusted"]) == pytest.approx((p, adjusted))
    best = others[1]
    low = [paired_difference(best, other).mean for other in (others[0], others[2])]
    against_best = [point["against_best"] for point in found["points"]]
    assert against_best[1] is None
    means = [row["difference"]["mean"] for row in against_best if row is not None]
    assert means == pytest.approx(low)
    assert [change_of(point) for point in found["points"]] == ["same", "better", "worse"]


def test_what_is_gained_and_lost_is_told_from_one_checkpoint_to_the_next(sweep: Path) -> None:
    first, second, third = metrics_of(sweep)["sweep"]["points"]
    solved = [f"T/{i}" for i in range(18)]
    assert (first["gained"], first["lost"]) == (["T/17"], [])
    assert (second["gained"], second["lost"]) == (solved[:17], [])
    assert (third["gained"], third["lost"]) == ([], solved)


def test_the_sentence_says_which_is_best_and_how_many_differ(sweep: Path) -> None:
    sentence = metrics_of(sweep)["sweep"]["sentence"]
    assert sentence.startswith("Of 3 checkpoints, checkpoint-1000 scores highest: 72.5 % [")
    assert "+45.0 [" in sentence and "adjusted for 3 checkpoints" in sentence
    assert sentence.endswith(
        "Shown to be better than the base: 1 of 3; worse: 1; no difference shown: 1."
    )


def test_a_tie_goes_to_the_earlier_checkpoint() -> None:
    rows = counted([2] * 20, 4)
    found = build_metrics(
        "no-policy", {"base": rows, "b": rows, "a": rows}, PROBLEMS, (1,), steps={"b": 1, "a": 2}
    )
    assert found["sweep"]["best"] == "b"
    assert [change_of(point) for point in found["sweep"]["points"]] == ["same", "same"]


def test_a_checkpoint_without_verdicts_is_in_no_comparison() -> None:
    gone = counted([2] * 20, 4)
    for row in gone:
        row.update(outcome="infrastructure", passed=False, error_type="infra_sandbox")
    results = {"base": counted([2] * 20, 4), "a": gone}
    found = build_metrics("no-policy", results, PROBLEMS, (1,), steps={"a": None})["sweep"]
    assert found["best"] is None and found["points"][0]["against_base"] is None
    assert found["sentence"] == "None of 1 checkpoint has a score."
    assert change_of(found["points"][0]) == "unknown"


def test_reports_are_made_anew_from_the_results(sweep: Path) -> None:
    before = metrics_of(sweep)
    assert main(["report", str(sweep)]) == 0
    assert metrics_of(sweep) == before


def test_reports_show_the_table_and_warn_of_the_best(sweep: Path) -> None:
    for name in ("combined_summary.md", "no-policy/comparison_report.md"):
        text = (sweep / name).read_text(encoding="utf-8")
        assert "3 checkpoints against the base on synthetic" in text.split("\n")[0]
        assert re.search(r"\| checkpoint-1000 \(best\) \| 72\.5 % \[.*\| ▲ better \|", text)
        assert "too high on average" in text
        assert (
            "sigil-eval run --base-model org/base --checkpoint-path run/checkpoint-1000 --seed 8 "
            "--num-samples 4 --temperature 0.2 --problem-set humaneval-rust --k-values 1,4 "
            "--output-dir swept_confirmed" in text
        )
    details = (sweep / "no-policy/comparison_report.md").read_text(encoding="utf-8")
    assert "T/0, T/1, T/2, T/3, T/4, T/5, T/6, T/7 and 10 more" in details


def test_many_models_have_a_row_each(sweep: Path) -> None:
    metrics = metrics_of(sweep)
    table = sweep_table(metrics)
    assert table is not None
    assert [row[0] for row in table.rows] == [
        "Base", "checkpoint-500", "checkpoint-1000 (best)", "checkpoint-12000"
    ]  # fmt: skip
    labels = {f"checkpoint-{i}": counted([1] * 20, 1) for i in range(12)}
    wide = build_metrics("no-policy", labels, PROBLEMS, (1,))
    from sigil_eval.reporting.sections.scores import score_table

    assert [row[0] for row in score_table(wide).rows] == list(labels)


def test_the_curve_is_drawn_over_training_steps(sweep: Path) -> None:
    metrics = metrics_of(sweep)
    curve = learning_curve(metrics, metrics["sweep"])
    assert curve is not None
    assert [round(dot.x / curve.width, 4) for dot in curve.dots] == [0.0417, 0.0833, 1.0]
    assert [dot.best for dot in curve.dots] == [False, True, False]
    (_, bottom), *_, (level, y) = curve.levels
    assert curve.dots[1].y == pytest.approx(bottom - (bottom - y) * 72.5 / float(level), abs=0.1)
    assert curve.dots[1].high < curve.dots[1].y < curve.dots[1].low
    assert [text for text, _ in curve.ticks] == ["1000", "12000"]  # 500 stands too close


def test_the_heat_map_begins_with_what_was_learned(sweep: Path) -> None:
    metrics = metrics_of(sweep)
    drawn = heat_map(metrics, metrics["sweep"])
    assert drawn.columns == ["Base", "500", "1000", "12000"]
    assert (drawn.never, drawn.always) == (1, 1)
    assert len(drawn.rows) == 18
    assert [square.text for square in dict(drawn.rows)["T/17"]] == ["1/4", "3/4", "3/4", "0/4"]


def test_the_page_needs_no_script_and_names_the_rows(sweep: Path) -> None:
    page = (sweep / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "script-src" not in page
    assert 'href="no-policy/checkpoint-12000_results.jsonl"' in page
    assert 'href="no-policy/base_model_results.jsonl"' in page
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page, target


def test_names_from_outside_stay_text(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / "swept", environment={"SEED": HOSTILE})
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<img" not in page


@pytest.mark.skipif(CHROMIUM is None or AXE is None, reason="no Chromium, or no AXE_CORE")
def test_anybody_can_read_it_on_a_desk_and_a_phone(sweep: Path, browser: Browser) -> None:
    browser.open(f"file://{sweep / 'report.html'}")
    assert browser.evaluate("document.querySelectorAll('svg .dot').length") == 6
    for size, dark in ((DESK, False), (PHONE, True)):
        show(browser, size, dark)
        assert browser.evaluate("document.documentElement.scrollWidth") <= size[0]
        browser.evaluate(f"{Path(str(AXE)).read_text()}; 0")
        found = browser.evaluate(
            "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))"
        )
        assert found == []
    assert browser.problems == []
