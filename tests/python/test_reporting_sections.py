"""A section of the reports: one object and its place in the list are all that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from results_fixture import (
    HOSTILE,
    PROBLEMS,
    good_results,
    make_metadata,
    make_problem_set,
    make_run,
    visible,
)
from sigil_eval.reporting.blocks import (
    Block,
    Code,
    Commands,
    Heading,
    Link,
    Links,
    Listing,
    Paragraph,
    Table,
)
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.order import SECTIONS
from sigil_eval.reporting.sections.section import Section


def of_everything(run: Run) -> Iterator[Block]:
    yield Heading("Energy")
    yield Paragraph(f"Estimated for {', '.join(run.labels)}; {HOSTILE}", lead="Roughly.")
    yield Heading("By model", level=3)
    yield Table(["", "kWh"], [[Code("base"), "1.5"]], 1, "At the wall.")
    yield Listing(["idle time is in it", HOSTILE])
    yield Commands("nvidia-smi --query-gpu=power.draw")
    yield Links([Link("metrics.json", "policy/metrics.json", "with all figures")])


@pytest.fixture
def one_section_more() -> Iterator[None]:
    SECTIONS.append(
        Section("energy", lambda run, _: of_everything(run), of_everything, of_everything)
    )
    yield
    SECTIONS.pop()


@pytest.mark.usefixtures("one_section_more")
def test_a_section_that_is_added_stands_in_every_report(tmp_path: Path) -> None:
    reports = make_run(tmp_path, good_results(), make_metadata())
    page = reports.pop("report.html")
    for text in reports.values():
        assert "\n## Energy\n\n**Roughly.** Estimated for base, finetuned; \\</script>" in text
        assert (
            "\n### By model\n\n|  | kWh |\n| :-- | --: |\n| `base` | 1.5 |\n\nAt the wall." in text
        )
        assert "\n- idle time is in it\n- \\</script>" in text
        assert "```sh\nnvidia-smi --query-gpu=power.draw\n```" in text
        assert "- [metrics.json](policy/metrics.json), with all figures" in text
    assert '<a href="#energy">Energy</a> ' in page
    part = re.search(r'<section id="energy">(.*?)</section>', page, re.DOTALL)
    assert part is not None
    assert "<h2>Energy</h2>" in part[1] and "<h3>By model</h3>" in part[1]
    assert "<strong>Roughly.</strong> Estimated for base, finetuned; &lt;/script&gt;" in part[1]
    assert '<th scope="row"><code>base</code></th>' in part[1] and ">1.5</td>" in part[1]
    assert part[1].count("<li>") == 3
    assert '<a href="policy/metrics.json">metrics.json</a> with all figures' in part[1]
    assert HOSTILE not in part[1]


def test_sections_have_names_of_their_own() -> None:
    names = [section.name for section in SECTIONS]
    assert len(set(names)) == len(names)


def test_problems_on_which_the_columns_differ_are_named_with_where_to_read_why(
    tmp_path: Path,
) -> None:
    results = good_results()
    for rows in results.values():
        for row in rows:
            row["passed_in"] = {"published": row["passed"]}
    title = "Where the columns differ"
    reports = make_run(tmp_path, results, make_metadata())
    assert title not in reports["no-policy/comparison_report.md"] + reports["report.html"]
    for row in results["base"]:
        row["passed_in"] = {"published": row["passed"] or row["task_id"] == "T/3"}
    reports = make_run(tmp_path, results, make_metadata())
    passing = sum(row["passed"] for row in results["base"] if row["task_id"] == "T/3")
    tuned = sum(row["passed"] for row in results["finetuned"] if row["task_id"] == "T/3")
    row = f"| T/3 | {passing}/4 | 4/4 | {tuned}/4 | {tuned}/4 |"
    comparison = reports["no-policy/comparison_report.md"]
    assert f"\n## {title}\n" in comparison
    part = comparison.partition(title)[2].partition("\n## ")[0]
    assert [line for line in part.splitlines() if line.startswith("| T/")] == [row]
    assert "sigil-eval problems TASK" in part
    assert "](https://github.com/" in part
    assert "/problems/data/synthetic.errata.json)" in part
    assert f"T/3 {passing}/4 4/4" in visible(reports["report.html"])


def test_scores_without_flagged_problems_stand_beside(tmp_path: Path) -> None:
    before = make_run(tmp_path, good_results(), make_metadata())
    assert not any("Flagged" in text for text in before.values())
    flagged = make_problem_set(len(PROBLEMS.problems), flagged=range(10, 20))
    reports = make_run(tmp_path, good_results(), make_metadata(), flagged)
    rows = [r for r in good_results()["base"] if int(r["task_id"].partition("/")[2]) < 10]
    share = sum(row["passed"] for row in rows) / len(rows)
    for name, text in reports.items():
        flat = visible(text) if name.endswith(".html") else text
        assert "Flagged, because they measure little: T/10, T/11" in flat, name
        assert "Without flagged ones" in flat, name
        if not name.startswith("policy/"):
            found = re.search(r"Base[ |]+pass@1[ |]+\S+ % \[\S+ \S+[ |]+(\S+) % \[", flat)
            assert found and found[1] == f"{100 * share:.1f}", name
