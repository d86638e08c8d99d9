"""An opened problem on the page: what it holds, and what a reader can do with it."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from results_fixture import (
    PROBLEMS,
    good_results,
    make_metadata,
    make_row,
    page_data,
    write_run,
)
from sigil_eval.cli.problems import problems
from sigil_eval.cli.score import score
from sigil_eval.files import write_jsonl
from sigil_eval.reporting.reports import write_reports

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH; on Debian: apt-get install chromium"
)
ERRATA = (
    {"task_id": "*", "set": {"prelude": "use std::cmp;"}, "why": "All of them lost an import."},
    {"task_id": "T/2", "set": {"free_text": True}, "why": "This one <b>was</b> wrong."},
)
FAILED = "panicked at tests.rs:4:5:\nassertion `left == right` failed\n  left: 1\n right: 2\n"
ENTRY = "document.getElementById('p-T/2')"


@pytest.fixture
def opened(tmp_path: Path, browser: Browser) -> Browser:
    """The page of a run at its problem T/2, with everything unfolded."""
    results = good_results()
    results["base"][8] = make_row("T/2", 0, code="fn answer_2() -> i64 {\n    1 + one\n}")
    results["finetuned"][8] = make_row("T/2", 0, code="fn answer_2() -> i64 {\n    1 + two\n}")
    for index in (9, 10):
        results["base"][index]["stderr"] = FAILED
    results["finetuned"][11]["stderr"] = FAILED
    problem_set = replace(PROBLEMS, errata=ERRATA)
    write_run(tmp_path, problem_set, results)
    (tmp_path / "eval_metadata.json").write_text(json.dumps(make_metadata()))
    write_reports(tmp_path, problem_set)
    browser.open(f"file://{tmp_path / 'report.html'}#p-T/2")
    browser.evaluate(f"for (const part of {ENTRY}.querySelectorAll('details')) part.open = true")
    return browser


def texts(browser: Browser, selector: str) -> list[str]:
    found: list[str] = browser.evaluate(
        f"[...{ENTRY}.querySelectorAll({selector!r})].map((e) => e.innerText.trim())"
    )
    return found


def test_it_shows_tests_with_the_failing_line_reference_and_errata(opened: Browser) -> None:
    (marked,) = texts(opened, "[aria-label=tests] .wrong")
    assert marked.startswith("assert_eq!(answer_2(), 2);")
    assert marked.endswith("failed here: Base 2 ×, Fine-tuned 1 ×")
    assert texts(opened, "[aria-label='reference answer'] .line")[0] == "2"
    assert texts(opened, ".erratum") == ["Erratum. This one <b>was</b> wrong."]
    assert "Erratum of all problems: All of them lost an import." in texts(opened, ".note")
    assert opened.problems == []


def test_rust_is_coloured_and_no_character_is_lost(opened: Browser) -> None:
    program = "const pre = document.querySelector('[aria-label=program]');"
    opened.evaluate("location.hash = '#p-T/2'")
    assert "fn" in texts(opened, "[aria-label=program] .r-keyword")
    assert "i64" in texts(opened, "[aria-label=program] .r-type")
    assert "assert_eq!" in texts(opened, "[aria-label=tests] .r-macro")
    text = opened.evaluate(f"(() => {{ {program} return pre.textContent; }})()")
    shown = opened.evaluate("document.querySelector('#problem-data').textContent")
    codes = {
        program["code"]
        for problem in json.loads(shown).values()
        for model in problem["models"].values()
        for program in model["programs"]
    }
    assert text.rstrip("\n") in {code.rstrip("\n") for code in codes}


def test_words_that_differ_are_marked_within_a_line(opened: Browser) -> None:
    select = f"{ENTRY}.querySelectorAll('.compare select')"
    for side, code in (("0", "one"), ("1", "two")):
        opened.evaluate(
            f"""(() => {{
                const models = JSON.parse(document.getElementById("problem-data").textContent)
                    ["T/2"].models;
                const model = models[["base", "finetuned"][{side}]];
                const at = model.programs.findIndex((p) => p.code.includes({code!r}));
                {select}[{side}].value = at;
                {select}[{side}].dispatchEvent(new Event("change", {{ bubbles: true }}));
            }})()"""
        )
    assert (texts(opened, ".diff del"), texts(opened, ".diff ins")) == (["one"], ["two"])


def test_programs_and_commands_can_be_copied(opened: Browser) -> None:
    opened.call(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    opened.call("Emulation.setFocusEmulationEnabled", enabled=True)
    opened.evaluate(f"{ENTRY}.querySelector('[aria-label=\"Copy commands\"]').click()")
    opened.evaluate("new Promise((done) => setTimeout(done, 300))")
    copied = opened.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("sigil-eval problems --problem-file synthetic T/2\n")
    assert "Copied" in texts(opened, ".copy")


def test_the_commands_pick_the_samples_of_that_problem_alone(tmp_path: Path) -> None:
    """T/1 and not T/1x; from the results where the samples are not here."""
    results = good_results()
    write_run(tmp_path, PROBLEMS, results)
    write_jsonl(tmp_path / "samples" / "base.jsonl", results["base"])
    write_reports(tmp_path, PROBLEMS)
    told = page_data((tmp_path / "report.html").read_text())["T/1"]["again"]
    lines = [line for line in told.splitlines() if line.startswith("grep")]
    assert "samples/base.jsonl" in lines[0]
    assert "no-policy/finetuned_model_results.jsonl" in lines[1]
    subprocess.run(["bash", "-ec", "\n".join(lines)], cwd=tmp_path, check=True)
    for label in ("base", "finetuned"):
        rows = (tmp_path / f"{label}-T-1.jsonl").read_text().splitlines()
        assert [json.loads(row)["task_id"] for row in rows] == ["T/1"] * 4


def test_the_commands_are_ones_that_sigil_eval_takes(tmp_path: Path) -> None:
    write_run(tmp_path, PROBLEMS, good_results())
    write_reports(tmp_path, PROBLEMS)
    told = page_data((tmp_path / "report.html").read_text())["T/1"]["again"]
    lines = [shlex.split(line) for line in told.splitlines() if line.startswith("sigil-eval")]
    for _, name, *arguments in lines:
        taken = {"problems": problems, "score": score}[name].make_context(name, arguments)
        assert taken.params["problem_file"] == Path("synthetic")
