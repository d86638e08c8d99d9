"""The reports: what stands at their head, their figures, and missing parts."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from results_fixture import (
    PROBLEMS,
    REPORTS,
    good_results,
    make_metadata,
    make_row,
    make_run,
    page_data,
    rows_of,
    visible,
)
from sigil_eval.errors import UsageError
from sigil_eval.reporting.blocks import Table
from sigil_eval.reporting.notices import DEMO_NOTICE
from sigil_eval.reporting.rebuild import refresh_metrics
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.terminal import print_summary, print_table
from sigil_eval.reporting.wording import MODE_TITLES

REPOSITORY = Path(__file__).resolve().parents[2]


def summary_text(folder: Path, **options: Any) -> str:
    written = io.StringIO()
    print_summary(folder, Console(file=written, width=80, soft_wrap=True, **options))
    return written.getvalue()


def test_a_clean_run_has_all_reports_and_no_warning(tmp_path: Path) -> None:
    reports = make_run(tmp_path, good_results(), make_metadata())
    assert sorted(reports) == sorted(REPORTS)
    verdict = json.loads((tmp_path / "no-policy/metrics.json").read_text())["comparison"]["verdict"]
    assert verdict["kind"] == "better"
    for name, text in reports.items():
        flat = visible(text) if name.endswith(".html") else text
        if not name.startswith("policy/"):
            assert verdict["sentence"] in flat
        assert not re.search(r"INCOMPLETE|NO SANDBOX|Demonstration|not proved|No metadata", flat)
    assert "No deviations from the pinned environment." in reports["combined_summary.md"]


def test_comparison_report_holds_the_figures(tmp_path: Path) -> None:
    report = make_run(tmp_path, good_results(), make_metadata())["no-policy/comparison_report.md"]
    # (19·1 + 4)/80 and (19·3 + 2)/80.
    assert re.search(r"\| pass@1 \| 28\.7 % \[.*\] \| 73\.8 % \[.*\] \| \+45\.0 \[", report)
    assert "19 problems better, 0 equal, 1 worse" in report
    assert "| T/19 | `passed` | `passed` | 4/4 | 2/4 | −50.0 |" in report
    assert "| `network` | 0 | 1 |" in report
    assert "| Reference answers | holds | 492 of 492 pass | 164 of 164 problems," in report
    clone = "git clone https://github.com/Superuser666-Sigil/SigilDERG-Lambda-Package.git\ncd Sigil"
    assert clone in report
    assert f"git checkout {'c' * 40}\nNUM_SAMPLES=10 bash eval_setup.sh\n" in report
    assert "$7.27 at $2.99 an hour" in report


def test_the_set_up_finds_the_verdict_in_the_summary(tmp_path: Path) -> None:
    """`eval_setup.sh status` ends with it."""
    make_run(tmp_path, good_results(), make_metadata())
    verdict = json.loads((tmp_path / "no-policy/metrics.json").read_text())["comparison"]["verdict"]
    script = f"source {REPOSITORY}/lib/logging.sh; source {REPOSITORY}/lib/status.sh; verdict_of ."
    shown = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert verdict["sentence"] in " ".join(shown.split())
    assert all(f"{title}. " in shown for title in MODE_TITLES.values())
    assert "*" not in shown and max(map(len, shown.split("\n"))) <= 100


@pytest.mark.parametrize("terminal", [True, False])
def test_a_table_that_is_too_wide_is_shown_row_by_row(terminal: bool) -> None:
    """No column is cut, and no word in two."""

    def shown(source: Table) -> list[str]:
        written = io.StringIO()
        # 100 columns are what is taken for the width where there is no terminal; of one that is
        # called dumb, 80 are.
        target = Console(
            file=written, width=100, force_terminal=terminal, _environ={"TERM": "xterm"}
        )
        print_table(target, source)
        return re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue()).splitlines()

    folder = "/a/folder/with/a/long/name" * 3
    head = ["Run", "pass@1, per cent", "p"]
    wide = Table(head, [[folder, "12 [3, 45]", "0.1"], ["x", "", "0.2"]], 1)
    assert shown(wide) == [
        f"Run               {folder}",
        "pass@1, per cent  12 [3, 45]",
        "p                 0.1",
        "",
        "Run               x",
        "p                 0.2",
    ]
    narrow = Table(["Run", "pass@1"], [["x" * 70, "12 [3, 45]"]], 1)
    assert len(shown(narrow)) == (5 if terminal else 2)
    assert any("x" * 70 + "  " in line for line in shown(narrow))


def test_policy_cost_is_in_the_summary(tmp_path: Path) -> None:
    summary = make_run(tmp_path, good_results(), make_metadata())["combined_summary.md"]
    # One of 80 samples was correct and is rejected: 1.25 points.
    assert re.search(
        r"\| Fine-tuned \| pass@1 \| 73\.8 % \| 72\.5 % \| −1\.[23] \[−\S+, \S+\] \| 1 \|", summary
    )


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_and_the_terminal_shout_what_spoils_a_run(tmp_path: Path, name: str) -> None:
    results = good_results()
    results["base"][0] = make_row("T/0", 0, "infrastructure")
    deviation = {
        "id": "python",
        "expected": "3.12.11",
        "actual": "3.12.1",
        "consequence": "differs in detail",
    }
    metadata = make_metadata(
        demo=True,
        sandbox={"mode": "none", "firejail": None},
        proof=None,
        deviations=[deviation],
    )
    text = make_run(tmp_path, results, metadata)[name]
    flat = visible(text) if name.endswith(".html") else text
    head = flat[: flat.index("Scores")]
    for expected in (DEMO_NOTICE, "INCOMPLETE", "NO SANDBOX", "Judge not proved", "3.12.11"):
        assert expected in head
    assert "Provisional" in flat
    terminal = summary_text(tmp_path)
    for expected in (DEMO_NOTICE, "INCOMPLETE", "NO SANDBOX", "python", "Provisional"):
        assert expected in terminal


def test_every_report_and_the_terminal_show_which_deviations_were_accepted(tmp_path: Path) -> None:
    rows = [
        {"id": name, "expected": "a", "actual": "b", "consequence": "c", "accepted": accepted}
        for name, accepted in (("sigilderg.trainer", True), ("device", False))
    ]
    reports = make_run(tmp_path, good_results(), make_metadata(deviations=rows))
    for name in REPORTS[:3]:
        assert "**Deviations from the pinned environment: 2, 1 of them accepted.**" in reports[name]
        graver, lesser = reports[name].split("1 deviation that cannot change the numbers:")
        assert "1 deviation that may change the numbers:" in graver
        assert "| sigilderg.trainer | a | b | c | accepted |" in lesser
        assert "| device | a | b | c | no |" in graver
        assert reports[name].splitlines()[0].endswith("(1 deviation, 1 accepted deviation)")
    page = visible(reports["report.html"])
    assert "1 deviation that may change the numbers : device" in page
    assert "1 deviation that cannot change the numbers : sigilderg.trainer" in page
    assert re.search(r"sigilderg\.trainer\s+a\s+b\s+c\s+accepted", page)
    assert "2, 1 of them accepted (device; accepted: sigilderg.trainer)" in summary_text(tmp_path)


def test_metadata_of_an_older_run_is_still_reported(tmp_path: Path) -> None:
    """Version 2 kept no list of accepted deviations."""
    row = dict.fromkeys(("id", "expected", "actual", "consequence"), "x")
    metadata = make_metadata(schema_version=2, deviations=[row])
    del metadata["accepted_deviations"]
    reports = make_run(tmp_path, good_results(), metadata)
    assert "| x | x | x | x | unknown |" in reports["combined_summary.md"]
    assert "environment: 1 (x)" in summary_text(tmp_path)


def spoil(run: Path, how: str) -> None:
    """Leave a run that is not a clean one."""
    results = good_results()
    changes: dict[str, Any] = {}
    if how == "infrastructure failure":
        results["finetuned"][5] = make_row("T/1", 1, "infrastructure")
    elif how == "deviation":
        row = dict.fromkeys(("id", "expected", "actual", "consequence"), "x")
        changes["deviations"] = [row]
    elif how == "demonstration":
        changes["demo"] = True
    elif how == "no sandbox":
        changes["sandbox"] = {"mode": "none", "firejail": None}
    elif how == "judge not proved":
        changes["proof"] = None
    elif how == "files changed":
        changes["files"] = {"policy/base_model_results.jsonl": "0" * 64}
    elif how == "verdicts not stable":
        one = {"samples": 100, "agree": 99, "disagreements": ["T/3"]}
        changes["rescored"] = make_metadata()["rescored"] | one
    make_run(run, results, None if how == "no metadata" else make_metadata(**changes))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("infrastructure failure", "incomplete"),
        ("deviation", "1 deviation"),
        ("demonstration", "demonstration"),
        ("no sandbox", "no sandbox"),
        ("judge not proved", "judge not proved"),
        ("files changed", "files changed"),
        ("verdicts not stable", "verdicts not stable"),
        ("no metadata", "no metadata"),
    ],
)
def test_no_report_of_a_spoilt_run_can_be_taken_for_a_clean_one(
    tmp_path: Path, how: str, words: str
) -> None:
    """The first line of each report, the page's title, every verdict card and the menu say it."""
    spoil(tmp_path, how)
    for name in REPORTS[:3]:
        first = (tmp_path / name).read_text().splitlines()[0]
        assert first.startswith("# ")
        assert words in first
    page = (tmp_path / "report.html").read_text()
    title = re.search(r"<title>(.*?)</title>", page)
    assert title and words in title.group(1)
    shown = [visible(part) for part in re.findall(r'<p class="flaws">.*?</p>', page)]
    assert len(shown) == 4  # under the title, on the two cards, in the menu
    assert all(words in part for part in shown)
    assert "Complete, judge proved, no deviations" not in visible(page)


def test_a_clean_run_says_that_it_is_one(tmp_path: Path) -> None:
    reports = make_run(tmp_path, good_results(), make_metadata())
    assert "Complete, judge proved, no deviations" in visible(reports["report.html"])
    first = reports["combined_summary.md"].splitlines()[0]
    assert first == "# Fine-tuned against base on synthetic"
    assert 'class="flaws"' not in reports["report.html"]


def test_the_certificate_says_what_holds_and_what_was_not_checked(tmp_path: Path) -> None:
    results = good_results()
    for index in (5, 6):
        results["finetuned"][index] = make_row("T/1", index - 4, "test_timeout")
    report = make_run(tmp_path, results, make_metadata())["combined_summary.md"]
    assert "| Judged again by the run itself | holds | 200 of 200 verdicts agree |" in report
    assert "of all results agree 98.2 to 100.0 % (95 % interval)" in report
    assert "| Files of the run | not checked | no hashes were recorded |" in report
    assert "| Time-outs | noted | 2 of 160 | Base 0; Fine-tuned 2." in report
    unchecked = make_metadata(rescored=None)
    report = make_run(tmp_path, results, unchecked)["combined_summary.md"]
    assert "| Judged again by the run itself | not checked | not done |" in report
    results["base"][0] = make_row("T/0", 0, "infrastructure")
    report = make_run(tmp_path, results, make_metadata())["combined_summary.md"]
    assert "| Samples without a verdict | DOES NOT HOLD | 1 of 160 |" in report


def test_scores_by_column_stand_in_every_report_or_are_called_missing(tmp_path: Path) -> None:
    results = good_results()
    for name, text in make_run(tmp_path, results, make_metadata()).items():
        assert "Not available, as the results do not tell of them: those as published" in text, name
    for rows in results.values():
        for row in rows:
            published = row["passed"] and row["task_id"] != "T/19"
            row["passed_in"] = {"published": published, "errata": row["passed"]}
    reports = make_run(tmp_path, results, make_metadata())
    # 19 of 20 problems go from 1 of 4 to 3 of 4, and as published T/19 counts for nothing.
    beside = "This headline is with errata. As published: +47.5 points of pass@1 (95 % interval"
    assert beside in reports["combined_summary.md"]
    assert beside in visible(reports["report.html"])
    assert re.search(r"Base +pass@1 +28\.7 % \S+ \S+ +23\.8 % ", summary_text(tmp_path))
    for name, text in reports.items():
        if name.startswith("policy/"):
            continue
        flat = visible(text) if name.endswith(".html") else text
        assert "The headline scores are those with errata" in flat, name
        # Base as published: 19 of 80. The headline keeps T/19: 23 of 80.
        assert re.search(r"Base[ |]+pass@1[ |]+28\.7 % \[\S+ \S+[ |]+23\.8 % \[", flat), name


def test_clippy_is_shown_only_where_it_was_asked(tmp_path: Path) -> None:
    results = good_results()
    before = make_run(tmp_path, results, make_metadata())
    assert not any("Clippy" in text for text in before.values())
    for row in results["base"]:
        row["clippy_ok"] = row["passed"]
    after = make_run(tmp_path, results, make_metadata())
    assert "| Clippy finds nothing, of those that compile | 28.7 %" in after["combined_summary.md"]
    assert "Clippy finds nothing" in visible(after["report.html"])


def test_migration_is_a_table_of_problems_by_code(tmp_path: Path) -> None:
    base = rows_of([["compile_error"] * 2] * 6 + [["passed"] * 2] * 4)
    tuned = rows_of([["passed", "compile_error"]] * 6 + [["assertion_failure", "passed"]] * 4)
    reports = make_run(tmp_path, {"base": base, "finetuned": tuned}, make_metadata())
    report = reports["no-policy/comparison_report.md"]
    assert "| `passed` | 2.0 | · | 2.0 | 4.0 |" in report
    assert "| `E0308` | 3.0 | 3.0 | · | 6.0 |" in report
    assert "| All | 5.0 | 3.0 | 2.0 | 10.0 |" in report


def test_rare_outcomes_are_put_together(tmp_path: Path) -> None:
    base = [
        make_row(f"T/{i}", 0, "compile_error", error_codes=[f"E{i:04}"], stderr="")
        for i in range(20)
    ]
    tuned = rows_of([["passed"]] * 20)
    report = make_run(tmp_path, {"base": base, "finetuned": tuned})[
        "no-policy/comparison_report.md"
    ]
    (row,) = re.findall(r"^\| `other` \|.*$", report, re.M)
    assert row.split("|")[2].strip() == row.split("|")[-2].strip() == "13.0"


def test_metrics_are_made_anew_from_the_results(tmp_path: Path) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    path = tmp_path / "policy/metrics.json"
    honest = path.read_bytes()
    old = json.loads(honest)
    old["schema_version"] = 1
    del old["headline"]
    old["models"]["base"]["samples"]["passed"] = 79
    path.write_text(json.dumps(old))
    refresh_metrics(tmp_path, PROBLEMS)
    assert path.read_bytes() == honest
    (tmp_path / "policy/base_model_results.jsonl").unlink()
    path.write_text(json.dumps(old))
    refresh_metrics(tmp_path, PROBLEMS)
    assert json.loads(path.read_text()) == old


def test_a_failed_proof_is_shouted(tmp_path: Path) -> None:
    proof = make_metadata()["proof"] | {"ok": False}
    reports = make_run(tmp_path, good_results(), make_metadata(proof=proof))
    assert "**JUDGE NOT PROVED.**" in reports["combined_summary.md"]
    assert "492 of 492" not in reports["combined_summary.md"] + reports["report.html"]
    assert "JUDGE NOT PROVED" in visible(reports["report.html"])


def test_a_run_without_metadata_says_so(tmp_path: Path) -> None:
    for name, text in make_run(tmp_path, good_results()).items():
        assert "eval_metadata.json is missing" in text, name
        assert "No deviations" not in text


@pytest.mark.parametrize("label", ["base", "finetuned", "samples"])
@pytest.mark.parametrize("modes", [("policy",), ("no-policy",), ("no-policy", "policy")])
def test_one_model_or_one_mode_alone(tmp_path: Path, label: str, modes: tuple[str, ...]) -> None:
    results = {label: good_results()["base"]}
    reports = make_run(tmp_path, results, make_metadata(), modes=modes)
    expected = [f"{mode}/comparison_report.md" for mode in modes]
    assert sorted(reports) == sorted([*expected, "combined_summary.md", "report.html"])
    for text in reports.values():
        assert "28.7 % [" in text
        assert "There is no second model to compare with." in text
    assert page_data(reports["report.html"])["T/0"]["models"][label]["programs"]
    assert "28.7 %" in summary_text(tmp_path)


def test_left_out_problems_are_named(tmp_path: Path) -> None:
    rows = rows_of([["unscorable"] * 2, ["passed", "infrastructure"], ["passed"] * 2])
    reports = make_run(tmp_path, {"base": rows}, make_metadata(), k_values=[1, 2])
    report = reports["no-policy/comparison_report.md"]
    assert "- Base: problems that this machine cannot score: T/0." in report
    assert "- Base: 17 problems without samples: T/3," in report
    assert "- Base, pass@2: fewer than 2 scored samples: T/1." in report
    assert "Base: 1 samples without a verdict because of infrastructure failures" in report


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results here"):
        write_reports(tmp_path)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/metrics.json").write_text('{"schema_version": 99}')
    with pytest.raises(UsageError, match="schema version 99"):
        write_reports(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_reports_are_the_same_when_rebuilt(tmp_path: Path) -> None:
    first = make_run(tmp_path, good_results(), make_metadata())
    second = {
        str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8")
        for path in write_reports(tmp_path, PROBLEMS)
    }
    assert first == second


def test_terminal_is_plain_text_without_a_terminal(tmp_path: Path) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    plain = summary_text(tmp_path)
    assert re.search(r"^pass@1 +28\.7 % \[\S+ \S+ +73\.8 % \[\S+ \S+ +\+45\.0 \[", plain, re.M)
    assert "\x1b" not in plain
    assert not set("─│┃━") & set(plain)
    assert str(tmp_path / "report.html") in plain
    assert "In all: 2h 25m. Estimated cost: $7.27" in plain
    assert "\x1b" in summary_text(tmp_path, force_terminal=True, color_system="standard")
