"""The page's doors: what it computes anew, where its numbers lead, addresses, keys, and files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from opened_page import LISTED, choose, press
from results_fixture import (
    counted,
    finding,
    good_results,
    make_metadata,
    make_row,
    make_run,
    page_data,
)
from sigil_eval.files import Row

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH; on Debian: apt-get install chromium"
)
RECOMPUTED = "document.getElementById('recomputed').innerText"


def opened(folder: Path, browser: Browser, results: dict[str, list[Row]], place: str = "") -> None:
    make_run(folder, results, make_metadata(), k_values=(1, 2))
    browser.open(f"file://{folder / 'report.html'}{place}")


@pytest.mark.parametrize(
    "passed",
    [
        ([1] * 19 + [4], [3] * 19 + [2]),
        ([0] * 20, [0] * 20),
        ([4] * 20, [0] * 20),
        ([0] * 19 + [1], [1] * 20),
        ([0, 1, 2, 3, 4] * 4, [4, 3, 2, 1, 0] * 4),
        ([2], [3]),
        ([0, 4], [1, 4]),
    ],
)
def test_the_page_computes_every_score_and_interval_anew(
    tmp_path: Path, browser: Browser, passed: tuple[list[int], list[int]]
) -> None:
    results = {"base": counted(passed[0], 4), "finetuned": counted(passed[1], 4)}
    opened(tmp_path, browser, results)
    what = f"12 scores and differences with their intervals, from the counts of {len(passed[0])}"
    assert f"recomputed here: equal ({what} problems)" in browser.evaluate(RECOMPUTED)
    marked = "[...document.querySelectorAll('[data-figure]')].map((e) => e.className)"
    assert browser.evaluate(marked) == ["rows equal"] * 12
    cards = "[...document.querySelectorAll('.card .recomputed')].map((e) => e.innerText)"
    assert browser.evaluate(cards) == ["recomputed here: equal"] * 2
    assert browser.problems == []


@pytest.mark.parametrize("what", ["count", "figure", "text"])
def test_a_page_whose_figures_were_changed_says_so(
    tmp_path: Path, browser: Browser, what: str
) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    page = tmp_path / "report.html"
    honest = page.read_text()
    data = page_data(honest, "data")
    if what == "count":
        data["counts"]["policy"]["base"]["T/3"][1] += 1
    elif what == "figure":
        data["figures"][-1]["high"] += 0.0001
    old = json.dumps(page_data(honest, "data"), separators=(",", ":"))
    changed = honest.replace(old, json.dumps(data, separators=(",", ":")))
    if what == "text":
        changed = honest.replace(">28.7 % [", ">29.7 % [")
    assert changed != honest
    page.write_text(changed)
    browser.open(f"file://{page}")
    assert "recomputed here: DIFFERENT" in browser.evaluate(RECOMPUTED)
    assert browser.evaluate("document.querySelectorAll('a.unequal').length") >= 1


def test_the_programs_are_counted_too(tmp_path: Path, browser: Browser) -> None:
    results = good_results()
    results["base"][5] = make_row("T/1", 1, "infrastructure")
    opened(tmp_path, browser, results)
    browser.evaluate("document.getElementById('count-programs').click()")
    told = browser.evaluate("document.getElementById('counted').innerText")
    assert told == "recomputed here: equal (the programs below add up to 80 counts)"
    page = tmp_path / "report.html"
    page.write_text(page.read_text().replace('"n":2', '"n":3', 1))
    browser.open(f"file://{page}?changed")
    browser.evaluate("document.getElementById('count-programs').click()")
    assert "DIFFERENT" in browser.evaluate("document.getElementById('counted').innerText")


def test_every_number_leads_to_what_stands_behind_it(tmp_path: Path, browser: Browser) -> None:
    results = good_results()
    results["base"][12] = make_row("T/3", 0, "compile_error", finish_reason="length")
    results["finetuned"][21] = make_row("T/5", 1, "test_timeout")
    results["finetuned"][24]["policy_findings"] = [finding("unsafe")]
    results["finetuned"][24]["uses_unsafe"] = True
    opened(tmp_path, browser, results)
    follow = """((text, at) => {
        const links = [...document.querySelectorAll("a.rows, .tally a, .bar a, .certificate a")];
        const known = links.filter((a) => a.getAttribute("href").includes(text));
        known[at].click();
        return new Promise((done) => setTimeout(() => done([known.length,
            [...document.querySelectorAll(".problem:not([hidden])")].map((e) => e.dataset.task),
            document.body.dataset.mode]), 150));
    })"""
    for text, listed, mode in (
        ("model=base&code=E0308", ["T/3"], "no-policy"),
        ("mode=policy&change=worse", ["T/19"], "policy"),
        ("from=E0308&to=passed", ["T/3"], None),
        ("model=base&verdict=is%3Acut+off", ["T/3"], "no-policy"),
        ("model=finetuned&verdict=is%3Aunsafe", ["T/6"], "no-policy"),
        ("verdict=is%3Atoo+slow", ["T/5"], "no-policy"),
        ("model=finetuned&mode=policy&verdict=is%3Acorrect+but+rejected", ["T/0", "T/6"], "policy"),
        ("mode=no-policy&model=finetuned&verdict=passed", [f"T/{i}" for i in range(20)], None),
    ):
        count, tasks, now = browser.evaluate(f"{follow}({text!r}, 0)")
        assert count >= 1, text
        assert sorted(tasks) == sorted(listed), text
        assert mode in (None, now), text
    assert browser.problems == []


@pytest.mark.parametrize("labels", [("base", "finetuned"), ("a sample | file",)])
def test_no_number_leads_to_an_empty_list(
    tmp_path: Path, browser: Browser, labels: tuple[str, ...]
) -> None:
    results = good_results()
    results["base"][12] = make_row("T/3", 0, "compile_error", finish_reason="length")
    opened(tmp_path, browser, dict(zip(labels, results.values(), strict=False)))
    followed, empty = browser.evaluate(
        """(async () => {
            const links = [...document.querySelectorAll("a.rows, .bar a, .tally a")];
            const counting = links.filter((a) => !/^[^1-9]*0 equal|^0|[(]0 of/.test(a.textContent));
            const empty = [];
            for (const link of counting) {
                link.click();
                await new Promise((done) => setTimeout(done, 30));
                const listed = document.querySelectorAll(".problem:not([hidden])").length;
                if (!listed) empty.push(`${link.getAttribute("href")}: ${link.textContent}`);
            }
            return [counting.length, empty];
        })()"""
    )
    assert followed > 10
    assert empty == []


def test_the_address_keeps_what_is_shown(tmp_path: Path, browser: Browser) -> None:
    opened(tmp_path, browser, good_results())
    browser.evaluate("document.querySelector('.modes input[value=policy]').click()")
    choose(browser, "change", "worse")
    listed = choose(browser, "sort", "number")
    address = browser.evaluate("location.hash")
    assert address == "#problems&mode=policy&change=worse&sort=number"
    browser.open("about:blank")
    browser.open(f"file://{tmp_path / 'report.html'}{address}")
    assert browser.evaluate(LISTED) == listed == ["T/19"]
    assert browser.evaluate("document.body.dataset.mode") == "policy"
    assert browser.evaluate("document.getElementById('sort').value") == "number"
    browser.evaluate("document.querySelector('nav a[href=\"#scores\"]').click()")
    browser.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert browser.evaluate("location.hash") == "#scores&mode=policy&change=worse&sort=number"


def test_j_and_k_go_from_problem_to_problem(tmp_path: Path, browser: Browser) -> None:
    opened(tmp_path, browser, good_results())
    choose(browser, "sort", "number")
    browser.evaluate("document.activeElement.blur()")
    at = "[...document.querySelectorAll('.problem[open]')].map((entry) => entry.dataset.task)"
    seen = []
    for key in "jjkk":
        press(browser, key, key)
        seen.append(browser.evaluate(at))
    assert seen == [["T/0"], ["T/1"], ["T/0"], ["T/0"]]
    assert browser.evaluate("location.hash").startswith("#p-T/0")
    browser.evaluate("document.getElementById('query').focus()")
    press(browser, "j", "j")
    assert browser.evaluate("document.getElementById('query').value") == "j"


def test_counts_and_figures_can_be_saved(tmp_path: Path, browser: Browser) -> None:
    opened(tmp_path, browser, good_results())
    saved = tmp_path / "saved"
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(saved))
    for name in ("json", "csv"):
        browser.evaluate(f"document.getElementById('save-{name}').click()")
        browser.evaluate("new Promise((done) => setTimeout(done, 1000))")
    document = json.loads((saved / "report.json").read_text())
    assert document["counts"]["no-policy"]["finetuned"]["T/19"] == [4, 2]
    assert document["figures"][0]["mean"] == pytest.approx(23 / 80)
    with (saved / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["task_id"] for row in rows] == [f"T/{i}" for i in range(20)]
    assert rows[0]["finetuned passed, no-policy"] == "3"
    assert rows[0]["finetuned passed, policy"] == "2"


def test_scores_and_their_difference_share_an_axis_that_ends_at_the_next_ten(
    tmp_path: Path, browser: Browser
) -> None:
    opened(tmp_path, browser, good_results())
    plot = "document.querySelector('.forest')"
    rows = browser.evaluate(f"[...{plot}.querySelectorAll('.forest-model')].map(e => e.innerText)")
    assert rows[:3] == ["Base", "Fine-tuned", "Difference"]
    ticks = browser.evaluate(f"[...{plot}.querySelectorAll('.ticks span')].map(e => e.innerText)")
    assert (ticks[0], ticks[-1]) == ("0", "100")
    bars = browser.evaluate(
        "[...document.querySelectorAll('.bar')].map((bar) =>"
        " [...bar.children].reduce((sum, part) => sum + parseFloat(part.style.width), 0))"
    )
    assert bars == [pytest.approx(100, abs=0.01)] * 4
