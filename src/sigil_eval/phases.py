"""What the phases of a run do, and say to whoever watches, whether it is a whole run or files that
are scored: draw samples, prove the judge, sum up the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.console import ProgressLine, detail, format_duration, mention, warn
from sigil_eval.documents.metadata import ProofRow, ScoringCounts
from sigil_eval.documents.metrics import Conditions
from sigil_eval.errors import IncompleteError
from sigil_eval.files import sha256_file
from sigil_eval.generation import (
    EngineOptions,
    GenerationSummary,
    ModelSpec,
    SamplingParams,
    Shard,
    generate_samples,
)
from sigil_eval.generation.plan import Job
from sigil_eval.generation.progress import GenerationProgress
from sigil_eval.judging.crates import Crates
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.record.rented import rented_here
from sigil_eval.record.software import judge_code_sha256
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.run_folder import Mode, RunFolder
from sigil_eval.scoring.proved import proved
from sigil_eval.scoring.score import ScoreSummary

if TYPE_CHECKING:
    from sigil_eval.generation.drawing import Elsewhere
    from sigil_eval.generation.pool import ModelPool


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn, whichever model they are of; the price is in US dollars, for a GPU or
    for a machine without one."""

    params: SamplingParams
    engine: EngineOptions
    prompt_mode: str
    price_per_hour: float | None = None

    def job(self, model: ModelSpec, problem_set: ProblemSet) -> Job:
        """All that is to be drawn of a model."""
        problems = tuple(problem_set.problems)
        return Job(model, problems, self.params, self.prompt_mode, self.engine)

    def draw(
        self,
        model: ModelSpec,
        problem_set: ProblemSet,
        output: Path,
        *,
        label: str,
        shard: Shard | None = None,
        models: ModelPool | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> GenerationSummary:
        """Draw a model's samples into `output`; see `generate_samples`."""
        total = len(problem_set.problems) * self.params.num_samples
        total = len(shard.places(total)) if shard else total
        here = rented_here(self.engine.device).units if self.price_per_hour is not None else 1

        def rented() -> int:
            return here if elsewhere is None else elsewhere.rented

        with ProgressLine(f"generating {label}", total) as line:
            return generate_samples(
                model,
                problem_set.problems,
                self.params,
                output,
                prompt_mode=self.prompt_mode,
                options=self.engine,
                shard=shard,
                models=models,
                elsewhere=elsewhere,
                progress=GenerationProgress(line, self.price_per_hour, rented),
            )


def prove_aloud(
    judge: Judge, problem_set: ProblemSet, *, again: bool, tell: Callable[[str], None] = mention
) -> ProofRow:
    """Prove the judge, and `tell` what was proved and what cannot be judged here.

    Unless it is to be done `again`, what was proved of the same judge within a day holds.
    """
    tell(f"judging with {judge.toolchain.version} in {judge.sandbox.description}")
    detail(f"{judge.toolchain.rustc}, {judge.settings.workers} programs at a time")
    say_what_is_left_out(problem_set, judge.crates)
    proof, ago = proved(judge, problem_set, judge_code_sha256(), again=again)
    if ago is None:
        for line in proof.lines():
            tell(f"proved: {line}")
        return proof.to_row()
    for line in proof.lines():
        now = line in proof.sandbox
        tell(f"proved{'' if now else f' {format_duration(ago)} ago'}: {line}")
    tell("--prove-again proves that anew")
    return {**proof.to_row(), "seconds_ago": ago}


def say_what_is_left_out(problem_set: ProblemSet, crates: Crates) -> None:
    """Warn of problems that cannot be scored for want of crates: why, and how to get them."""
    complaint = crates.complaint({p.task_id: p.crates for p in problem_set.problems})
    if complaint:
        warn(complaint)


def judging_conditions(judge: Judge) -> Conditions:
    """What the verdicts depend on besides the programs."""
    return {
        **judge.fingerprint(),
        "crates_fault": judge.crates.fault,
        "clippy_required": judge.settings.clippy == "required",
        "code_sha256": judge_code_sha256(),
    }


def sum_up(
    folder: RunFolder,
    stems: Mapping[str, str],
    problem_set: ProblemSet,
    modes: Sequence[Mode],
    k_values: Sequence[int],
    conditions: Conditions,
    *,
    seed: int = 0,
    steps: Mapping[str, int | None] | None = None,
) -> None:
    """Write the metrics of each mode. `stems` says for each model what its results are filed under,
    `seed` is that of the intervals, `steps` has the training steps where the models are a base
    and its checkpoints."""
    rejected: dict[str, int | None] = {}
    for mode in modes:
        metrics = build_metrics(
            mode,
            _results(folder, mode, stems),
            problem_set,
            k_values,
            correct_but_rejected=rejected,
            seed=seed,
            judge=conditions,
            steps=steps,
        )
        write_metrics(folder.metrics(mode), metrics)
        if mode == "no-policy":
            rejected = {
                label: model["policy_rejects"]["correct_but_rejected"]
                for label, model in metrics["models"].items()
            }


def _results(folder: RunFolder, mode: Mode, stems: Mapping[str, str]) -> dict[str, Path]:
    return {label: folder.results(mode, stem) for label, stem in stems.items()}


def counts_of(summary: ScoreSummary) -> ScoringCounts:
    """What scoring did, for the record."""
    return {
        "samples": summary.samples,
        "programs": summary.programs,
        "judged": summary.judged,
        "infrastructure": summary.infrastructure,
        "retries": summary.retries,
    }


def file_hashes(
    folder: RunFolder, stems: Mapping[str, str], modes: Sequence[Mode]
) -> dict[str, str]:
    """sha256 of the samples and the results, by their names in the folder."""
    samples = [folder.samples(label) for label in stems]
    results = [folder.results(mode, stem) for mode in modes for stem in stems.values()]
    return {
        path.relative_to(folder.path).as_posix(): sha256_file(path) for path in (*samples, *results)
    }


def check_complete(summary: ScoreSummary) -> None:
    """Raises IncompleteError when some results have no verdict."""
    if summary.infrastructure:
        raise IncompleteError(
            f"{summary.infrastructure} results have no verdict because the machinery failed, not "
            "the models. The same command tries those again"
        )
