"""The HTML report in a real browser: nothing runs or is fetched, everything works, all can read it.

Skipped where there is no Chromium, and for axe no AXE_CORE; tests/run.sh brings what it can.
"""

from __future__ import annotations

import base64
import os
import random
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from browser import CHROMIUM, Browser
from opened_page import DESK, LISTED, PHONE, active, choose, open_page, press, show
from results_fixture import (
    HOSTILE,
    counted,
    finding,
    good_results,
    hostile_metadata,
    hostile_results,
    make_metadata,
    make_problem_set,
    make_row,
    make_run,
    write_run,
)
from sigil_eval.files import Row
from sigil_eval.reporting.reports import write_reports

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH; on Debian: apt-get install chromium"
)
AXE = os.environ.get("AXE_CORE")


def test_hostile_text_does_not_run_in_a_browser(tmp_path: Path) -> None:
    make_run(tmp_path, hostile_results(), hostile_metadata())
    with Browser(tmp_path / "profile") as browser:
        browser.open(f"file://{tmp_path / 'report.html'}#p-T/0")
        title = "1 deviation: Fine-tuned against base on synthetic"
        assert browser.evaluate("document.title") == title
        opened = browser.evaluate("document.getElementById('p-T/0').innerText")
        assert HOSTILE in opened
        assert "⟨U+202E⟩" in opened
        assert "⟨U+D800⟩" in opened
        assert browser.evaluate("document.querySelectorAll('script, img').length") == 3
        assert browser.problems == []


def test_search_filters_diff_and_mode_work_in_a_browser(tmp_path: Path) -> None:
    results = good_results()
    results["base"][8] |= {"code": "fn needle() {}", "program_sha256": "9" * 64}
    results["base"][12] = make_row("T/3", 0, "compile_error", error_codes=["E0499"])
    make_run(tmp_path, results, make_metadata())
    with Browser(tmp_path / "profile") as browser:
        browser.open(f"file://{tmp_path / 'report.html'}")
        assert len(browser.evaluate(LISTED)) == 20
        assert choose(browser, "query", "NEEDLE") == ["T/2"]
        assert browser.evaluate("document.getElementById('found').textContent").startswith("1 of")
        assert choose(browser, "query", "no such text") == []
        assert browser.evaluate("!document.getElementById('nothing').hidden")
        choose(browser, "query", "")
        assert choose(browser, "change", "worse") == ["T/19"]
        choose(browser, "change", "")
        assert choose(browser, "code", "E0499") == ["T/3"]
        choose(browser, "code", "")
        assert choose(browser, "verdict", "policy_violation") == ["T/0"]

        compared = browser.evaluate(
            """new Promise((done) => {
                const entry = document.getElementById("p-T/2");
                entry.open = true;
                const text = (cell) => [cell.className, cell.textContent];
                const read = () => done([...entry.querySelectorAll(".diff td")].map(text));
                setTimeout(read, 200);
            })"""
        )
        assert {"gone", "come"} <= {name for name, _ in compared}

        parts = "[...document.querySelectorAll('#scores [data-for]')]"
        heights = f"{parts}.map((part) => part.offsetHeight > 0)"
        assert browser.evaluate(heights) == [True, False]
        browser.evaluate("document.querySelector('.modes input[value=policy]').click()")
        assert browser.evaluate(heights) == [False, True]
        assert browser.problems == []


def modes_differ() -> dict[str, list[Row]]:
    """T/1 passes with the fine-tuned model, T/0 with both, and the policy rejects all of these."""
    results = {"base": counted([4, 0, 2] + [1] * 17, 4), "finetuned": counted([4] * 20, 4)}
    for rows in results.values():
        for row in rows[:8]:
            row["policy_findings"] = [finding("unsafe")] if row["passed"] else []
    return results


def in_list(browser: Browser, task: str) -> list[str]:
    """What the list shows of a problem: the change, and the counts that can be seen."""
    shown: list[str] = browser.evaluate(
        f"""(() => {{
            const entry = document.getElementById("p-{task}");
            const seen = [...entry.querySelectorAll(".counts .key")].filter((e) => e.offsetHeight);
            return [entry.dataset.change, ...seen.map((e) => e.innerText.split("\\n").pop())];
        }})()"""
    )
    return shown


def test_the_mode_reaches_the_list_its_counts_filters_order_and_programs(
    tmp_path: Path, browser: Browser
) -> None:
    make_run(tmp_path, modes_differ(), make_metadata())
    browser.open(f"file://{tmp_path / 'report.html'}#p-T/1")
    free = {"list": in_list(browser, "T/1"), "better": choose(browser, "change", "better")}
    chips = "[...document.querySelectorAll('#p-T\\\\/1 .chip')].map((chip) => chip.innerText)"
    assert free["list"][0] == "better" and [c[-3:] for c in free["list"][1:]] == ["0/4", "4/4"]
    assert browser.evaluate(LISTED)[0] == "T/1"  # what changed most comes first
    assert "passed" in browser.evaluate(chips)
    browser.evaluate("document.querySelector('.modes input[value=policy]').click()")
    assert "T/1" in free["better"] and "T/1" not in browser.evaluate(LISTED)
    choose(browser, "change", "")
    held = in_list(browser, "T/1")
    assert held[0] == "same" and [c[-3:] for c in held[1:]] == ["0/4", "0/4"]
    assert "passed" not in browser.evaluate(chips)
    assert "policy_violation" in browser.evaluate(chips)
    assert browser.evaluate(LISTED)[-2:] == ["T/0", "T/1"]
    assert set(choose(browser, "verdict", "passed")) == {f"T/{i}" for i in range(2, 20)}
    assert set(choose(browser, "verdict", "is:correct but rejected")) == {"T/0", "T/1"}
    notes = "[...document.querySelectorAll('#problems .note')].filter((e) => e.offsetHeight)"
    assert "Policy enforced" in browser.evaluate(f"{notes}[0].innerText")
    assert browser.problems == []


def test_shares_of_samples_do_not_change_with_the_mode(tmp_path: Path, browser: Browser) -> None:
    make_run(tmp_path, modes_differ(), make_metadata())
    browser.open(f"file://{tmp_path / 'report.html'}")
    shares = "document.getElementById('answers').innerText"
    before = browser.evaluate(shares)
    browser.evaluate("document.querySelector('.modes input[value=policy]').click()")
    assert browser.evaluate(shares) == before
    assert "Compiles" in before


@pytest.mark.skipif(AXE is None, reason="AXE_CORE names no axe.min.js; tests/run.sh fetches it")
@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("spoilt", [False, True])
def test_axe_finds_no_accessibility_violation(
    tmp_path: Path, browser: Browser, size: tuple[int, int], dark: bool, spoilt: bool
) -> None:
    results = good_results()
    if spoilt:
        results["base"][0] = make_row("T/0", 0, "infrastructure")
    open_page(browser, tmp_path, results)
    if spoilt:
        make_run(tmp_path, results, hostile_metadata() | {"demo": True, "proof": None})
        browser.open(f"file://{tmp_path / 'report.html'}?again")
    show(browser, size, dark)
    browser.evaluate(f"{Path(str(AXE)).read_text()}; 0")
    found: list[Any] = browser.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.id, v.impact, v.nodes[0].html]))"
    )
    assert found == []
    passed: int = browser.evaluate("axe.run().then((r) => r.passes.length)")
    assert passed > 20


def test_the_page_fits_a_phone_and_needs_no_sideways_scrolling(
    tmp_path: Path, browser: Browser
) -> None:
    show(browser, PHONE)
    open_page(browser, tmp_path)
    assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_phone_shows_the_verdict_on_its_first_screen(tmp_path: Path, browser: Browser) -> None:
    row = dict.fromkeys(("id", "expected", "actual", "consequence"), "of the machine")
    show(browser, PHONE)
    make_run(tmp_path, good_results(), make_metadata(demo=True, deviations=[row] * 5))
    browser.open(f"file://{tmp_path / 'report.html'}")
    sentence = "document.querySelector('.card .sentence').getBoundingClientRect().bottom"
    assert browser.evaluate(sentence) <= PHONE[1]


def test_dark_mode_is_dark_and_light_mode_light(tmp_path: Path, browser: Browser) -> None:
    open_page(browser, tmp_path)
    shades = []
    for dark in (True, False):
        show(browser, DESK, dark)
        colour = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        shades.append(sum(int(part) for part in colour.strip("rgb()").split(",")[:3]))
    assert shades[0] < 120 < 600 < shades[1]


def test_print_shows_both_modes_and_the_problems_that_changed_or_are_open(
    tmp_path: Path, browser: Browser
) -> None:
    results = {"base": counted([3, 1, 1] + [3] * 17, 4), "finetuned": counted([3] * 20, 4)}
    open_page(browser, tmp_path, results)
    show(browser, DESK, media="print")
    shown = "[...document.querySelectorAll(%r)].map((e) => e.offsetHeight > 0)"
    assert browser.evaluate(shown % "#scores [data-for]") == [True, True]
    printed = "[...document.querySelectorAll('.problem')].filter((e) => e.offsetHeight > 0)"
    tasks = browser.evaluate(f"{printed}.map((entry) => entry.dataset.task)")
    assert sorted(tasks) == ["T/0", "T/1", "T/2", "T/3"]
    assert not any(browser.evaluate(shown % "nav, .filters, button"))
    pages = base64.b64decode(browser.call("Page.printToPDF")["data"])
    assert pages.startswith(b"%PDF")
    assert 2 <= pages.count(b"/Type /Page\n") + pages.count(b"/Type /Page ") <= 12
    assert min(texts_on_pages(pages)) > 10


def texts_on_pages(document: bytes) -> list[int]:
    """How many pieces of text each page of a PDF has."""
    found = []
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL):
        with suppress(zlib.error):
            drawn = zlib.decompress(packed)
            if b" Tf" in drawn:
                found.append(drawn.count(b"BT"))
    return found


def test_nothing_is_cut_off_on_paper(tmp_path: Path, browser: Browser) -> None:
    open_page(browser, tmp_path)
    show(browser, (700, 1000), media="print")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 700


def test_a_spoilt_run_says_so_on_every_printed_page(tmp_path: Path, browser: Browser) -> None:
    row = dict.fromkeys(("id", "expected", "actual", "consequence"), "of the machine")
    make_run(tmp_path, good_results(), make_metadata(demo=True, deviations=[row]))
    browser.open(f"file://{tmp_path / 'report.html'}")
    show(browser, DESK, media="print")
    rules = browser.evaluate(
        "[...document.styleSheets[0].cssRules].map((rule) => rule.cssText).join('\\n')"
    )
    margin = re.search(r"@bottom-left \{ content: \"([^\"]*)\"", rules)
    assert margin and margin[1] == "demonstration, 1 deviation"
    assert "counter(page)" in rules
    place = "getComputedStyle(document.querySelector('header .flaws')).position"
    assert browser.evaluate(place) == "static"  # nothing lies over what is printed
    cards = browser.evaluate("[...document.querySelectorAll('.card')].map((e) => e.innerText)")
    assert len(cards) == 2
    assert all("demonstration" in card for card in cards)
    row_shown = "document.querySelector('details.notice td').offsetHeight > 0"
    assert browser.evaluate(row_shown)  # what is folded on a screen


def test_everything_can_be_reached_from_the_keyboard(tmp_path: Path, browser: Browser) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    browser.open(f"file://{tmp_path / 'report.html'}")
    press(browser, "Tab")
    assert active(browser) == "A Skip to the results"
    press(browser, "/", "/")
    assert active(browser) == "INPUT query"
    assert browser.evaluate("document.activeElement.value") == ""
    for _ in range(20):
        press(browser, "Tab")
        if active(browser).startswith("SUMMARY T/0"):
            break
    assert active(browser).startswith("SUMMARY T/0")
    press(browser, "Enter", "\r")
    assert browser.evaluate("document.getElementById('p-T/0').open")
    browser.evaluate("document.querySelector('.modes input').focus()")
    press(browser, "ArrowRight")
    assert browser.evaluate("document.body.dataset.mode") == "policy"


def test_the_line_that_the_compiler_names_is_marked(tmp_path: Path, browser: Browser) -> None:
    open_page(browser, tmp_path)
    marked = browser.evaluate(
        "[...document.getElementById('p-T/3').querySelectorAll('.wrong')].map((e) => e.innerText)"
    )
    assert [line.strip() for line in marked] == ["13 + 0"]


def test_any_two_programs_can_be_compared(tmp_path: Path, browser: Browser) -> None:
    open_page(browser, tmp_path)
    compared = "document.getElementById('p-T/0').querySelector('.compare')"
    assert "They are the same." in browser.evaluate(f"{compared}.innerText")
    browser.evaluate(
        f"""{{
            const select = {compared}.querySelectorAll("select")[1];
            select.value = 1;
            select.dispatchEvent(new Event("change", {{ bubbles: true }}));
        }}"""
    )
    rows = browser.evaluate(
        f"[...{compared}.querySelector('table').rows].map((row) =>"
        " [...row.cells].map((cell) => [cell.className, cell.textContent.trim()]))"
    )
    # What was replaced stands beside what replaced it.
    assert rows[2] == [["gone", "6 + 0"], ["come", "17 + 0"]]
    assert [name for name, _ in rows[1]] == ["kept", "kept"]


def test_the_filters_can_be_cleared(tmp_path: Path, browser: Browser) -> None:
    open_page(browser, tmp_path)
    assert choose(browser, "change", "worse") == ["T/19"]
    browser.evaluate("document.querySelector('.filters button').click()")
    browser.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert len(browser.evaluate(LISTED)) == 20


KINDS = ("passed", "compile_error", "assertion_failure", "runtime_error", "test_timeout")


def large_results(problems: int, samples: int) -> dict[str, list[Row]]:
    """Two models that hardly ever repeat themselves, with long compiler output."""
    chooser = random.Random(1)

    def row(task: int, index: int) -> Row:
        kind = chooser.choice(KINDS)
        lines = [f"    let x{i} = {chooser.random()};\n" for i in range(chooser.randint(6, 40))]
        code = f"fn answer(x: &[i32]) -> i64 {{\n{''.join(lines)}}}\n"
        said = "" if kind == "passed" else f"error[E0308]: mismatched types\n{code[:500]}"
        return make_row(f"T/{task}", index, kind, code=code, stderr=said)

    return {
        label: [row(task, index) for task in range(problems) for index in range(samples)]
        for label in ("base", "finetuned")
    }


def test_a_report_of_32800_samples_is_small_and_opens_at_once(
    tmp_path: Path, browser: Browser
) -> None:
    """Two models × 164 problems × 100 samples: under 20 MB, and open in under 2 seconds."""
    problem_set = make_problem_set(164)
    write_run(tmp_path, problem_set, large_results(164, 100), (1, 10, 100), modes=("no-policy",))
    write_reports(tmp_path, problem_set)
    page = tmp_path / "report.html"
    assert page.stat().st_size < 20_000_000
    times = []
    for attempt in range(3):  # the best of three: a busy machine is not the page's fault
        browser.open(f"file://{page}?{attempt}")
        timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        times.append(browser.evaluate(timing) / 1000)
    assert min(times) < 2.0
    assert len(choose(browser, "query", "0.123")) > 0
    assert browser.problems == []
