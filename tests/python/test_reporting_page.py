"""Hostile text in the reports, and the page: what may run on it, and the programs inside."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

from results_fixture import (
    HOSTILE,
    PROBLEMS,
    REPORTS,
    finding,
    good_results,
    hostile_metadata,
    hostile_results,
    make_metadata,
    make_row,
    make_run,
    page_data,
    rows_of,
    under_policy,
    visible,
)
from sigil_eval.reporting.blocks import Code
from sigil_eval.reporting.html import script_json
from sigil_eval.reporting.markdown import cell
from sigil_eval.reporting.programs import HELD_PROGRAMS, ProblemPrograms


class Elements(HTMLParser):
    """What a browser would find in the page: its scripts, and anything that loads or runs."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.active: list[tuple[str, str, str | None]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        if tag in ("img", "iframe", "object", "embed", "link", "base"):
            self.active.append((tag, "", None))
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name.startswith("on") or (
                name in ("src", "href") and not (value or "").startswith("#")
            ):
                self.active.append((tag, name, value))


def test_hostile_text_is_shown_and_never_markup(tmp_path: Path) -> None:
    page = make_run(tmp_path, hostile_results(), hostile_metadata())["report.html"]
    elements = Elements()
    elements.feed(page)
    assert [script.get("id") for script in elements.scripts] == ["data", "problem-data", None]
    assert elements.active == []
    assert len(elements.ids) == len(set(elements.ids))
    shown = page_data(page)["T/0"]["models"]["base"]["programs"]
    assert HOSTILE in {program.get("code") for program in shown}
    assert HOSTILE in visible(page)


def test_markdown_shows_hostile_text_as_text(tmp_path: Path) -> None:
    reports = make_run(tmp_path, hostile_results(), hostile_metadata())
    for name in REPORTS[:3]:
        outside_code = re.sub(r"`[^`]*`", "", reports[name])
        assert "<script" not in outside_code.replace("\\<", "")


def test_markdown_cells_cannot_leave_their_cell() -> None:
    assert cell("a|b\nc") == "a\\|b c"
    assert cell("[x](http://e)") == "\\[x](http://e)"
    assert cell(Code("a|b")) == "`a\\|b`"
    assert cell(Code("a`b")) == "a\\`b"
    assert cell("<b> *x* _y_ a_b p < 0.1") == "\\<b> \\*x\\* \\_y\\_ a_b p < 0.1"
    assert (cell("> a"), cell("# a")) == ("\\> a", "\\# a")
    assert cell("41.5 % [34.0, 49.1]") == "41.5 % [34.0, 49.1]"


def test_script_json_round_trips_and_holds_no_markup() -> None:
    text = script_json({"x": HOSTILE + "\u2028&amp;\ud800"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["x"] == HOSTILE + "\u2028&amp;\ud800"


def test_only_the_pages_own_script_may_run(tmp_path: Path) -> None:
    page = make_run(tmp_path, good_results(), make_metadata())["report.html"]
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1))  # type: ignore[union-attr]
    script = page[page.rindex("<script>") + len("<script>") : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_identical_programs_are_shown_once_with_their_number(tmp_path: Path) -> None:
    rows = rows_of([["passed"] * 6 + ["compile_error"] * 2])
    rows[7]["outcome"], rows[7]["error_type"] = "infrastructure", "infra_sandbox"
    page = make_run(tmp_path, {"base": rows}, make_metadata())["report.html"]
    model = page_data(page)["T/0"]["models"]["base"]
    assert [(p["n"], p["v"]) for p in model["programs"]] == [
        (2, "passed"),
        (2, "passed"),
        (2, "passed"),
        (1, "compile_error"),
        (1, "infrastructure"),
    ]
    assert model["distinct"] == 5
    assert model["unshown"] == 0
    assert page_data(page)["T/0"]["prompt"] == PROBLEMS.problems[0].prompt


def test_an_answer_without_code_is_shown_as_the_model_wrote_it(tmp_path: Path) -> None:
    rows = [make_row("T/0", 0, "extraction_failure", code=None, completion="I cannot.")]
    rows[0]["program_sha256"] = None
    page = make_run(tmp_path, {"base": rows}, make_metadata())["report.html"]
    (program,) = page_data(page)["T/0"]["models"]["base"]["programs"]
    assert (program["code"], program["raw"]) == ("I cannot.", True)


def test_a_flood_of_distinct_programs_stays_within_the_budget() -> None:
    programs = ProblemPrograms()
    for index in range(300):
        programs.add(make_row("T/0", index, "passed", code=f"fn f() {{ {index} }}" + "é<" * 500))
    programs.add(make_row("T/0", 300, "compile_error", code="fn rare() {}"))
    for budget in (20_000, 10**9):
        chosen = programs.chosen(budget)
        shown = chosen["programs"]
        assert len(script_json(shown)) <= max(budget, 10_000)
        assert {program["v"] for program in shown} == {"passed", "compile_error"}
        assert len(shown) <= HELD_PROGRAMS + 1
        assert sum(program["n"] for program in shown) + chosen["unshown"] == 301
        assert chosen["distinct"] == 301


def test_the_packages_of_both_environments_are_on_the_page(tmp_path: Path) -> None:
    metadata = make_metadata(vllm_packages={"numpy": "2.2.6", "vllm": "0.19.1"})
    page = html.unescape(make_run(tmp_path, good_results(), metadata)["report.html"])
    assert "<summary>All 3 packages</summary>" in page
    assert "<summary>All 2 packages in vLLM's environment</summary>" in page
    assert "<dt>numpy</dt><dd>2.2.6</dd>" in page


def test_policy_mode_alone_shows_its_own_verdicts(tmp_path: Path) -> None:
    rows = [make_row("T/0", 0, policy_findings=[finding("process")])]
    reports = make_run(tmp_path, {"base": rows}, make_metadata(), modes=("policy",))
    (program,) = page_data(reports["report.html"])["T/0"]["models"]["base"]["programs"]
    assert program["v"] == "policy_violation"
    assert program["policy"] == ["process, line 1: process is not allowed"]
    assert under_policy(rows)[0]["passed"] is False
