"""Samples of a part of the problems: wherever their scores stand, it says of how many."""

from __future__ import annotations

import html
import io
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from results_fixture import (
    JUDGE,
    REPORTS,
    counted,
    make_metadata,
    make_problem_set,
    validate,
    write_run,
)
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting.exchange import export_run
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.side_by_side import compare_runs
from sigil_eval.reporting.terminal import print_summary
from sigil_eval.run_folder import METADATA_FILE

PART, SHORT = "12 of 20 problems", "12 of 20"
BASE, TUNED = [0, 1] * 6, [2, 1] * 6
NOT_OF_SCORES = ("Why the verdicts", "Environment", "Time and cost", "Deviations", "Reproduce")


@pytest.fixture
def twenty() -> ProblemSet:
    return make_problem_set(20)


def run_of(folder: Path, problems: ProblemSet, models: dict[str, list[int]]) -> Path:
    """A finished run, of the first problems where the models have no more."""
    results = {label: counted(passed, 2) for label, passed in models.items()}
    write_run(folder, problems, results, (1, 2))
    (folder / METADATA_FILE).write_text(json.dumps(make_metadata()))
    write_reports(folder, problems)
    return folder


ONE, TWO = {"mine": TUNED}, {"base": BASE, "finetuned": TUNED}


def tables(markdown: str) -> list[tuple[str, str]]:
    """The title above each table, and the first line of the table."""
    found, title = [], ""
    lines = markdown.split("\n")
    for line, following in pairwise(lines):
        title = line if line.startswith("#") else title
        if line.startswith("| ") and re.match(r"\| :?-", following):
            found.append((title, line))
    return found


@pytest.mark.parametrize("models", [ONE, TWO], ids=["one", "two"])
def test_every_table_and_verdict_says_so(
    tmp_path: Path, twenty: ProblemSet, models: dict[str, list[int]]
) -> None:
    run_of(tmp_path, twenty, models)
    for name in REPORTS[:-1]:
        text = (tmp_path / name).read_text()
        assert text.split("\n")[0].endswith(f"({PART})") or PART in text.split("\n")[0]
        about_scores = [
            head for title, head in tables(text) if not any(w in title for w in NOT_OF_SCORES)
        ]
        assert len(about_scores) > 2
        assert [head for head in about_scores if SHORT not in head] == []
        sentences = re.findall(r"(?:\w scores \d|model is better|As published: \S\d).*", text)
        assert sentences and all(PART in sentence for sentence in sentences)
    page = html.unescape((tmp_path / "report.html").read_text())
    assert re.search(rf"<title>[^<]*{PART}", page)
    heads = re.findall(r"<table.*?<thead><tr>(.*?)</tr>", page, re.DOTALL)
    scored = [head for head in heads if "pass@" in head or "Base" in head or "mine" in head]
    assert scored and all(SHORT in head for head in scored)
    assert len(re.findall(rf'class="flaws".*?<span>{PART}</span>', page)) >= 3
    assert all(PART in text for text in re.findall(r'<p class="(?:sentence|tally)">.*?</p>', page))


@pytest.mark.parametrize("models", [ONE, TWO], ids=["one", "two"])
def test_so_do_the_terminal_and_what_programs_read(
    tmp_path: Path, twenty: ProblemSet, models: dict[str, list[int]]
) -> None:
    run_of(tmp_path, twenty, models)
    shown = io.StringIO()
    print_summary(tmp_path, Console(file=shown, width=200))
    assert shown.getvalue().count(SHORT) == 5
    for mode in ("no-policy", "policy"):
        metrics = json.loads((tmp_path / mode / "metrics.json").read_text())
        assert metrics["coverage"] == PART
        validate(metrics, "metrics")
    for path in export_run(tmp_path):
        assert path.suffix == ".jsonl" or PART in path.read_text()


def test_so_does_a_comparison_of_runs(tmp_path: Path, twenty: ProblemSet) -> None:
    run_of(tmp_path / "one", twenty, TWO)
    for path in tmp_path.glob("one/*/metrics.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"judge": JUDGE}))
    compared = compare_runs([tmp_path / "one"]).markdown()
    rows = [line for line in compared.split("\n") if ": Base" in line or ": Fine-tuned" in line]
    assert len(rows) == 4
    assert all(f"({PART})" in row for row in rows)
    assert PART in compared.split("\n")[2]


def test_models_that_cover_different_parts_are_told_apart(
    tmp_path: Path, twenty: ProblemSet
) -> None:
    run_of(tmp_path, twenty, {"base": [1] * 15, "finetuned": TUNED})
    metrics = json.loads((tmp_path / "policy/metrics.json").read_text())
    assert metrics["coverage"] == "15 and 12 of 20 problems"
    assert f"{PART})" in metrics["comparison"]["verdict"]["sentence"]


def test_the_whole_says_nothing(tmp_path: Path, twenty: ProblemSet) -> None:
    run_of(tmp_path, twenty, {"base": [1] * 20, "finetuned": [2] * 20})
    for name in REPORTS:
        assert not re.search(r"of 20 problems[,)|]", (tmp_path / name).read_text())
    assert "coverage" not in json.loads((tmp_path / "policy/metrics.json").read_text())
