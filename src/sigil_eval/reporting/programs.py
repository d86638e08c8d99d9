"""The programs of a run for report.html: identical ones as one, with their count and verdict.

What is kept is bounded per problem and model, so that the report of a large run stays a file
that a browser opens at once; what is left out is counted, and is in the results files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from sigil_eval.documents.rows import ResultRow
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.tally import iterate, sample_state
from sigil_eval.run_folder import MODES

TEXT_BUDGET = 14_000_000  # characters of programs and compiler output in one report
LARGEST_SHARE = 400_000  # of them, for one problem and model
LONGEST_CODE = 8_000
LONGEST_OUTPUT = 3_000
HELD_PROGRAMS = 60  # texts kept per problem and model while reading


@dataclass
class ShownProgram:
    """One distinct program with one verdict in each mode, and how many samples it stands for.

    `verdict` is that of the first mode there is, `under_policy` that of policy mode.
    """

    verdict: str
    under_policy: str
    code: str
    raw: bool
    output: str
    findings: list[str]
    codes: list[str]
    kept: bool = True
    state: str = ""
    compiled: bool = False
    unsafe: bool = False
    one_process: bool = False
    count: int = 0
    truncated: int = 0
    with_main: int = 0

    @property
    def size(self) -> int:
        return 80 + sum(map(_written_size, (self.code, self.output, *self.findings)))

    def as_dict(self) -> dict[str, object]:
        """Short names, as there are thousands; empty values are left out."""
        full = {
            "n": self.count,
            "v": self.verdict,
            "vp": "" if self.under_policy == self.verdict else self.under_policy,
            "code": self.code,
            "raw": self.raw,
            "out": self.output,
            "policy": self.findings,
            "codes": self.codes,
            "cut": self.truncated,
            "s": "" if self.state == self.verdict else self.state,
            "c": self.compiled,
            "unsafe": self.unsafe,
            "one": self.one_process,
            "main": self.with_main,
        }
        return {name: value for name, value in full.items() if value or name == "n"}


@dataclass
class ProblemPrograms:
    """The distinct programs of one model for one problem, in order of first appearance."""

    programs: dict[tuple[str, str, str], ShownProgram] = field(default_factory=dict)

    def add(self, row: ResultRow, under_policy: ResultRow | None = None) -> None:
        """Count a sample; `under_policy` is its row in policy mode, where `row` is of another."""
        verdict = sample_verdict(row)
        held = verdict if under_policy is None else sample_verdict(under_policy)
        key = (_identity(row), verdict, held)
        program = self.programs.get(key)
        if program is None:
            program = _program(row, verdict, held, keep=self._has_room(verdict))
            self.programs[key] = program
        program.count += 1
        program.truncated += row.get("finish_reason") == "length"
        program.with_main += row.get("main_free") is False

    def _has_room(self, verdict: str) -> bool:
        held = sum(1 for program in self.programs.values() if program.kept)
        return held < HELD_PROGRAMS or all(p.verdict != verdict for p in self.programs.values())

    def chosen(self, budget: int) -> dict[str, object]:
        """The programs within `budget` characters: one of each verdict, then the most frequent."""
        ranked = sorted((p for p in self.programs.values() if p.kept), key=lambda p: -p.count)
        first_of: dict[str, ShownProgram] = {}
        for program in ranked:
            first_of.setdefault(program.verdict, program)
        leaders = list(first_of.values())
        shown: list[ShownProgram] = []
        used = 0
        for program in [*leaders, *(p for p in ranked if p not in leaders)]:
            if not shown or used + program.size <= budget:
                shown.append(program)
                used += program.size
        shown.sort(key=lambda program: -program.count)
        total = sum(program.count for program in self.programs.values())
        return {
            "programs": [program.as_dict() for program in shown],
            "distinct": len(self.programs),
            "unshown": total - sum(program.count for program in shown),
        }


def sample_verdict(row: ResultRow) -> str:
    """passed, infrastructure, unscorable, or the error type."""
    if row["outcome"] in ("infrastructure", "unscorable"):
        return str(row["outcome"])
    return "passed" if row["passed"] else str(row.get("error_type") or "failed")


def collect_programs(run: Run) -> dict[str, dict[str, dict[str, object]]]:
    """Programs by label and task id, each with its verdict in every mode there is."""
    collected: dict[str, dict[str, ProblemPrograms]] = {}
    for label in run.labels:
        paths = [run.results_path(mode, label) for mode in MODES if mode in run.metrics]
        problems = collected.setdefault(label, {})
        # A sample is the same line of both modes' results.
        for row, *others in zip(*map(iterate, filter(Path.is_file, paths)), strict=False):
            problems.setdefault(row["task_id"], ProblemPrograms()).add(row, *others)
    parts = sum(len(problems) for problems in collected.values())
    budget = min(LARGEST_SHARE, TEXT_BUDGET // max(1, parts))
    return {
        label: {task: programs.chosen(budget) for task, programs in problems.items()}
        for label, problems in collected.items()
    }


def _written_size(text: str) -> int:
    """Characters that the text takes in the page, where `<`, `>` and `&` are escaped."""
    return len(json.dumps(text)) + 5 * sum(map(text.count, "<>&"))


def _identity(row: ResultRow) -> str:
    if row.get("program_sha256"):
        return str(row["program_sha256"])
    text = row.get("code") or row.get("completion") or ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _program(row: ResultRow, verdict: str, under_policy: str, keep: bool) -> ShownProgram:
    code = row.get("code")
    findings = [
        f"{finding['category']}, line {finding['line']}: {finding['message']}"
        for finding in row.get("policy_findings") or ()
    ]
    return ShownProgram(
        verdict=verdict,
        under_policy=under_policy,
        code=_bounded(row.get("completion") or "" if code is None else code, LONGEST_CODE, keep),
        raw=code is None,
        output=_bounded(_judgement(row), LONGEST_OUTPUT, keep),
        findings=findings[:20] if keep else [],
        codes=sorted(set(row.get("error_codes") or ())) if keep else [],
        kept=keep,
        state=sample_state(row) if verdict == row.get("error_type") else verdict,
        compiled=row.get("compile_ok") is True,
        unsafe=row.get("uses_unsafe") is True,
        one_process=row.get("one_process") is True,
    )


def _judgement(row: ResultRow) -> str:
    """What the compiler or the test said; the result's own words where it said nothing."""
    if row.get("stderr"):
        return str(row["stderr"])
    if row["passed"] and row.get("plus_failed"):
        return f"Does not hold, of the plus cases: {row['plus_failed']}"
    return "" if row["passed"] else str(row.get("result") or "")


def _bounded(text: str, limit: int, keep: bool) -> str:
    if not keep:
        return ""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… {len(text) - limit} more characters, in the results file"
