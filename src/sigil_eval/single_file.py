"""The parts of an evaluation by themselves: one file of samples scored, or drawn with one model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.console import format_duration, say, write_out
from sigil_eval.errors import UsageError, quoted
from sigil_eval.generation import ModelSpec, Shard, show_prompt
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.phases import Drawing, check_complete, judging_conditions, prove_aloud, sum_up
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting.terminal import print_summary
from sigil_eval.run_folder import Mode, RunFolder
from sigil_eval.scoring.reading import SampleReader
from sigil_eval.scoring.score import score_files
from sigil_eval.settings import K_VALUES

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool


def score_file(
    samples: Path,
    problem_set: ProblemSet,
    output: Path,
    settings: JudgeSettings,
    modes: Sequence[Mode],
    k_values: Sequence[int] | None,
) -> None:
    """Prove the judge, score one file in `modes`, write metrics beside the results.

    Without `k_values`, the usual ones that the samples reach. Raises IncompleteError, after all is
    written, when infrastructure left samples without a verdict.
    """
    reachable = _reachable_k(samples, problem_set)  # and says at once what is wrong with the file
    ks = reachable if k_values is None else k_values
    output.mkdir(parents=True, exist_ok=True)
    folder, stem = RunFolder(output), samples.stem
    with folder.lock(), Judge(settings) as judge:
        prove_aloud(judge, problem_set)
        summary = score_files({stem: samples}, problem_set, output, judge, modes)
        conditions = judging_conditions(judge)
    sum_up(folder, {stem: stem}, problem_set, modes, ks, conditions)
    print_summary(output)
    check_complete(summary)


def _reachable_k(samples: Path, problem_set: ProblemSet) -> tuple[int, ...]:
    """Those of the usual k that every problem has enough samples for."""
    counts = Counter(row["task_id"] for row in SampleReader(problem_set).rows(samples))
    if not counts:
        raise UsageError(f"{samples}: holds no samples")
    return tuple(k for k in K_VALUES.default if k <= min(counts.values()))


def generate_files(
    models: Sequence[ModelSpec],
    problem_set: ProblemSet,
    drawing: Drawing,
    output: Path,
    shard: Shard | None = None,
) -> None:
    """Draw samples with each model: with one into `output`, with several into files in it."""
    pool = drawing.engine.kind.model_pool(keep_base=len(models) > 1)
    for model, path in zip(models, _outputs(models, output), strict=True):
        _generate_file(model, problem_set, drawing, path, shard, pool)


def _outputs(models: Sequence[ModelSpec], output: Path) -> list[Path]:
    """A file of samples for each model: the one that was named, or one each in that folder."""
    if len(models) == 1:
        return [output]
    names = [Path(model.name).name for model in models]
    if len(set(names)) < len(names):
        names = [model.name.strip("/").replace("/", "--") for model in models]
    return [output / f"{name}.jsonl" for name in names]


def _generate_file(
    model: ModelSpec,
    problem_set: ProblemSet,
    drawing: Drawing,
    output: Path,
    shard: Shard | None,
    pool: ModelPool | None,
) -> None:
    summary = drawing.draw(model, problem_set, output, label=output.stem, shard=shard, models=pool)
    say(
        f"{summary.samples} samples ({summary.resumed_samples} from an earlier run) in "
        f"{format_duration(summary.seconds)}: {shard.output(output) if shard else output}"
    )


def print_prompt(model: ModelSpec, problem_set: ProblemSet, task: str, drawing: Drawing) -> None:
    """Print the exact prompt of a task. Raises UsageError for one that the set does not have."""
    problem = problem_set.by_id.get(task)
    if problem is None:
        raise UsageError(f"no problem {quoted(task)} in {problem_set.name}")
    write_out(show_prompt(model, problem, drawing.prompt_mode, drawing.engine) + "\n")
