"""Samples drawn with one model, or with several, and nothing else of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.console import format_duration, say, write_out
from sigil_eval.errors import UsageError, quoted
from sigil_eval.generation import ModelSpec, Shard, show_prompt
from sigil_eval.phases import Drawing
from sigil_eval.problems import ProblemSet

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool


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
