"""Score files of samples: every sample gets a row in each policy mode, nothing is dropped.

Samples are read, reduced to distinct programs, judged once each, and written out per mode. What
was judged is kept in a journal, so a killed run goes on where it was and ends with the same
bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sigil_eval.answers.program import Program
from sigil_eval.console import ProgressLine, mention
from sigil_eval.documents import ResultRow
from sigil_eval.files import write_jsonl
from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.many import ManyJudge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet
from sigil_eval.run_folder import MODES, Mode, RunFolder
from sigil_eval.scoring.journal import VerdictJournal
from sigil_eval.scoring.readers import readers_here
from sigil_eval.scoring.reading import Readers, SampleReader
from sigil_eval.scoring.rows import Judgements, result_rows


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


def score_files(
    files: Mapping[str, Path],
    problem_set: ProblemSet,
    output: Path,
    judge: ManyJudge,
    modes: Sequence[Mode] = MODES,
    readers: Readers | None = None,
) -> ScoreSummary:
    """Score sample files and write `output/MODE/NAME_results.jsonl` for each file and mode.

    `files` maps the NAME of a result to its JSONL file of `task_id` and `completion` rows; other
    fields are carried through. Results keep the order of the samples. Many texts are read by the
    `readers`, or else by as many processes as judge. Raises UsageError with file and line for a row
    that cannot be a sample, before anything is judged or written.
    """
    for problem in problem_set.problems:
        contract_of(problem)  # a problem file that cannot be judged is refused here
    reader, summary, folder = SampleReader(problem_set), ScoreSummary(), RunFolder(output)
    readers = readers or readers_here(problem_set, judge.settings.workers)
    summary.samples = reader.learn(files.values(), readers)
    programs = _distinct_programs(reader, modes)
    summary.programs = len(programs)
    with VerdictJournal(folder.verdicts, judge.fingerprint()) as journal:
        verdict_of = _judge_all(programs, journal, judge, summary)
        lints_of = _lint_all(programs, verdict_of, journal, judge)
    if judge.settings.clippy == "required":
        verdict_of = {key: _required(v, lints_of.get(key)) for key, v in verdict_of.items()}
    judgements = Judgements(verdict_of, lints_of, problem_set.columns, problem_set.headline)
    for name, path in files.items():
        for mode in modes:
            rows = result_rows(path, reader, judgements, mode)
            write_jsonl(folder.results(mode, name), _counted(rows, summary))
    return summary


def _distinct_programs(reader: SampleReader, modes: Sequence[Mode]) -> list[Program]:
    programs: dict[str, Program] = {}
    for answer in reader.answers():
        rejected = bool(answer.findings) and "no-policy" not in modes
        for program in (answer.program, answer.published):
            if program is not None and not rejected:
                programs.setdefault(program.sha256, program)
    return list(programs.values())


def _judge_all(
    programs: Sequence[Program], journal: VerdictJournal, judge: ManyJudge, summary: ScoreSummary
) -> dict[str, Verdict]:
    wanted = {program.sha256 for program in programs}
    found = {key: verdict for key, verdict in journal.verdicts().items() if key in wanted}
    if found:
        mention(f"scoring: {len(found)} of {len(programs)} programs were judged before")
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
                journal.add_verdict(program, verdict)
            share = 100 * outcomes["passed"] / max(1, len(found))
            progress.update(len(found), f"{share:.0f} % pass")
    summary.retries = judge.retries - retried
    return found


def _lint_all(
    programs: Sequence[Program],
    verdict_of: Mapping[str, Verdict],
    journal: VerdictJournal,
    judge: ManyJudge,
) -> dict[str, tuple[str, ...]]:
    """The clippy lints of every program that compiles; nothing unless they were asked for."""
    if judge.settings.clippy == "off":
        return {}
    found = journal.lints()
    compiled = [p for p in programs if verdict_of[p.sha256].compile_ok]
    waiting = [program for program in compiled if program.sha256 not in found]
    done = len(compiled) - len(waiting)
    with ProgressLine("clippy", len(compiled), done, "programs") as progress:
        for program, lints in judge.lint(waiting):
            if lints is not None:
                found[program.sha256] = lints
                journal.add_lints(program, lints)
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


def _counted(rows: Iterable[ResultRow], summary: ScoreSummary) -> Iterator[ResultRow]:
    """The rows, while those without a verdict are counted."""
    for row in rows:
        summary.infrastructure += row["outcome"] == "infrastructure"
        yield row
