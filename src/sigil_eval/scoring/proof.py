"""Prove the judge before it judges: right answers must pass, and wrong ones must not.

Every reference answer goes through extraction, compiler, sandbox and tests exactly as a model's
answer does, in the forms in which models answer (`forms.py`), and through the plus cases where
there are some. Controls that are wrong by construction go the same way; where the plus cases are at
the head, they must fail by those alone, too. One wrong verdict, and nothing is scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

from sigil_eval.answers.program import Program
from sigil_eval.console import ProgressLine
from sigil_eval.documents.metadata import ProofRow
from sigil_eval.errors import PreflightError
from sigil_eval.judging.judge import Judge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import Problem, ProblemSet, pinned_names
from sigil_eval.problems.plus import failed_case
from sigil_eval.scoring.controls import KINDS, controls_of
from sigil_eval.scoring.forms import FORMS, completion_in_form
from sigil_eval.scoring.readers import codes_in

LISTED_WRONG = 20


@dataclass(frozen=True)
class Proof:
    """What was proved, in counts, and which problems cannot be judged here."""

    problems: int
    scorable: int
    reference_answers: int
    controls: int
    controls_by_kind: dict[str, int]
    programs: int
    unscorable: tuple[str, ...]
    without_reference: tuple[str, ...]
    sandbox: tuple[str, ...]

    def to_row(self) -> ProofRow:
        """For the metadata."""
        return {
            "ok": True,
            "problems": self.problems,
            "scorable": self.scorable,
            "reference_answers": self.reference_answers,
            "controls": self.controls,
            "controls_by_kind": self.controls_by_kind,
            "programs": self.programs,
            "unscorable": list(self.unscorable),
            "without_reference": list(self.without_reference),
            "sandbox": list(self.sandbox),
        }

    @classmethod
    def from_row(cls, row: ProofRow) -> Self:
        """The inverse of `to_row`."""
        return cls(
            problems=row["problems"],
            scorable=row["scorable"],
            reference_answers=row["reference_answers"],
            controls=row["controls"],
            controls_by_kind=row.get("controls_by_kind", {}),
            programs=row["programs"],
            unscorable=tuple(row["unscorable"]),
            without_reference=tuple(row.get("without_reference", [])),
            sandbox=tuple(row["sandbox"]),
        )

    def lines(self) -> list[str]:
        """For people: one line for each fact."""
        lines = [
            *self.sandbox,
            *self._of_references(),
            f"{self.controls} of {self.controls} wrong answers fail "
            f"({', '.join(f'{count} {kind}' for kind, count in self.controls_by_kind.items())})",
        ]
        if self.unscorable:
            lines.append(f"cannot be judged here, for want of crates: {', '.join(self.unscorable)}")
        return lines

    def _of_references(self) -> Iterator[str]:
        lacking = len(self.without_reference)
        if self.scorable > lacking:
            yield (
                f"{self.reference_answers} of {self.reference_answers} reference answers pass "
                f"({self.scorable - lacking} problems in {len(FORMS)} forms of answers)"
            )
        if lacking:
            yield (
                f"{lacking} of {self.scorable} problems have no reference answer: that a right "
                "answer passes there was not shown"
            )


@dataclass(frozen=True)
class _Trial:
    task_id: str
    label: str
    must_pass: bool
    problem: Problem
    completion: str
    control: str = ""
    must_compile: bool = True
    program: Program | None = None


def prove(judge: Judge, problem_set: ProblemSet) -> Proof:
    """Run the proof; raises PreflightError listing every wrong verdict."""
    scorable = [p for p in problem_set.problems if judge.crates.has(p.crates)]
    with ThreadPoolExecutor(1) as beside:  # answers are read while rustc compiles the tests
        compiled = beside.submit(judge.compile_tests, scorable)
        trials = [trial for problem in scorable for trial in _trials(problem)]
        if problem_set.headline == "plus":
            trials += [t for p in scorable if p.plus for t in _controls(p.with_plus_first)]
        trials = _read(trials, judge.settings.workers)
        compiled.result()
    programs = {t.program.sha256: t.program for t in trials if t.program is not None}
    verdicts: dict[str, Verdict] = {}
    with ProgressLine("proving the judge", len(programs), unit="programs") as progress:
        for program, verdict in judge.judge(list(programs.values())):
            verdicts[program.sha256] = verdict
            progress.update(len(verdicts))
    _check(trials, verdicts, problem_set)
    kinds = Counter(trial.control for trial in trials)
    unscorable = tuple(p.task_id for p in problem_set.problems if p not in scorable)
    return Proof(
        problems=len(problem_set.problems),
        scorable=len(scorable),
        reference_answers=sum(trial.must_pass for trial in trials),
        controls=sum(not trial.must_pass for trial in trials),
        controls_by_kind={kind: kinds[kind] for kind in KINDS},
        programs=len(programs),
        unscorable=unscorable,
        without_reference=tuple(p.task_id for p in scorable if not p.has_reference),
        sandbox=tuple(judge.self_test),
    )


def _check(
    trials: Sequence[_Trial], verdicts: Mapping[str, Verdict], problem_set: ProblemSet
) -> None:
    wrong = [line for trial in trials if (line := _complaint(trial, verdicts))]
    if wrong:
        shown = "\n  ".join(wrong[:LISTED_WRONG])
        left = len(wrong) - LISTED_WRONG
        more = f"\n  … and {left} more" if left > 0 else ""
        raise PreflightError(
            f"the judge gave {len(wrong)} of {len(trials)} known answers the wrong verdict, so "
            f"nothing was scored:\n  {shown}{more}{_way_out(problem_set)}"
        )


def _way_out(problem_set: ProblemSet) -> str:
    """What can be done about problems that somebody else wrote."""
    if problem_set.name in pinned_names():
        return ""
    return (
        f"\nMend these problems in {problem_set.source}, or take them out: tests that let a wrong "
        "answer pass, or a reference answer fail, measure nothing (docs/problem-sets.md)"
    )


def _trials(problem: Problem) -> Iterator[_Trial]:
    for form in FORMS if problem.has_reference else ():
        answer = completion_in_form(problem, form)
        yield _Trial(problem.task_id, f"reference as {form}", True, problem, answer)
    yield from _controls(problem)


def _controls(problem: Problem) -> Iterator[_Trial]:
    for one in controls_of(problem):
        kind, must_compile = one.kind, one.compiles
        yield _Trial(problem.task_id, one.label, False, problem, one.completion, kind, must_compile)


def _read(trials: Sequence[_Trial], workers: int) -> list[_Trial]:
    """The trials with their programs."""
    codes = codes_in([(trial.problem, trial.completion) for trial in trials], workers)
    return [
        trial if code is None else replace(trial, program=Program(trial.problem, code))
        for trial, code in zip(trials, codes, strict=True)
    ]


def _complaint(trial: _Trial, verdicts: Mapping[str, Verdict]) -> str | None:
    if trial.program is None:
        return f"{trial.task_id}: {trial.label}: no code found" if trial.must_compile else None
    verdict = verdicts[trial.program.sha256]
    if trial.must_pass:
        verdict = verdict.with_plus
    proves = verdict.outcome != "infrastructure" and (
        verdict.compile_ok or not trial.must_compile  # what never ran shows nothing of its tests
    )
    if proves and verdict.passed == trial.must_pass:
        return None
    said = "passed" if verdict.passed else f"{verdict.outcome}: {verdict.detail}"
    if trial.must_pass and verdict.plus is not None:
        said += f", by the plus case {failed_case(trial.program.problem, verdict.stderr)}"
    return f"{trial.task_id}: {trial.label}: {said}"
