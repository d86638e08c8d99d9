"""A section of the reports: one object and its place in the list are all that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from results_fixture import HOSTILE, good_results, make_metadata, make_run
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
