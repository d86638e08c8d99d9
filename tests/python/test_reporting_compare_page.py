"""Runs side by side as a page: what it shows, and that it is safe and can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from opened_page import DESK, PHONE, show
from results_fixture import HOSTILE, PROBLEMS, counted, good_results, make_metadata, make_run
from sigil_eval.cli import main
from sigil_eval.reporting.metrics import write_metrics
from sigil_eval.reporting.run import load_run

AXE = os.environ.get("AXE_CORE")
JUDGE = {
    "rustc": "rustc 1.95.0",
    "sandbox": "firejail",
    "compile_seconds": 30.0,
    "run_seconds": 10.0,
    "compile_memory": 4,
    "run_memory": 2,
    "crates": [],
    "crates_fault": "",
    "clippy_required": False,
    "code_sha256": "e" * 64,
}


def two_runs(folder: Path) -> Path:
    """Two runs that were judged alike, the second with another temperature, and their page."""
    for name, temperature in (("first", 0.2), ("second <b>", 0.8)):
        results = good_results() if name == "first" else {"base": counted([2] * 20, 4)}
        arguments = {"temperature": temperature, "base_model": HOSTILE}
        make_run(folder / name, results, make_metadata(arguments=arguments))
        for mode, metrics in load_run(folder / name).metrics.items():
            metrics["judge"] = JUDGE  # type: ignore[typeddict-item]
            write_metrics(folder / name / mode / "metrics.json", metrics)
    page = folder / "side.html"
    runs = [str(folder / "first"), str(folder / "second <b>")]
    assert main(["compare", *runs, "--output", str(page)]) == 0
    return page


def test_the_page_shows_both_runs_with_links_to_their_reports(tmp_path: Path) -> None:
    page = two_runs(tmp_path).read_text()
    assert 'href="first/report.html"' in page and 'href="second%20%3Cb%3E/report.html"' in page
    assert "4 samples per problem, temperature 0.8" in page
    assert "temperature differs: 0.2 in" in page
    assert "28.7 % [" in page and "50.0 % [" in page and "73.8 % [" in page
    assert "<b>" not in page and "<script" not in page
    assert len(PROBLEMS.problems) == 20


def test_markdown_is_written_for_any_other_name(tmp_path: Path) -> None:
    two_runs(tmp_path)
    runs = [str(tmp_path / "first"), str(tmp_path / "second <b>")]
    assert main(["compare", *runs, "--output", str(tmp_path / "side.md")]) == 0
    assert (tmp_path / "side.md").read_text().startswith("# Runs side by side")


@pytest.mark.skipif(CHROMIUM is None or AXE is None, reason="no Chromium, or no AXE_CORE")
def test_anybody_can_read_it_on_a_desk_and_a_phone(tmp_path: Path, browser: Browser) -> None:
    browser.open(f"file://{two_runs(tmp_path)}")
    for size, dark in ((DESK, False), (PHONE, True)):
        show(browser, size, dark)
        assert browser.evaluate("document.documentElement.scrollWidth") <= size[0]
        browser.evaluate(f"{Path(str(AXE)).read_text()}; 0")
        found = browser.evaluate(
            "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))"
        )
        assert found == []
    assert browser.problems == []
