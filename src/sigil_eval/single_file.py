"""Samples drawn with one model, or with several, and nothing else of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.console import answer, format_duration, json_is_wanted, say, write_out
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
) -> list[dict[str, object]]:
    """Draw samples with each model: with one into `output`, with several into files in it; for each
    file its path and how many samples it holds, with how many of them from an earlier run."""
    pool = drawing.engine.kind.model_pool(keep_base=len(models) > 1)
    return [
        _generate_file(model, problem_set, drawing, path, shard, pool)
        for model, path in zip(models, _outputs(models, output), strict=True)
    ]


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
) -> dict[str, object]:
    summary = drawing.draw(model, problem_set, output, label=output.stem, shard=shard, models=pool)
    path = shard.output(output) if shard else output
    say(
        f"{summary.samples} samples ({summary.resumed_samples} from an earlier run) in "
        f"{format_duration(summary.seconds)}: {path}"
    )
    return {"path": str(path), "samples": summary.samples, "resumed": summary.resumed_samples}


def print_prompt(model: ModelSpec, problem_set: ProblemSet, task: str, drawing: Drawing) -> None:
    """Print the exact prompt of a task. Raises UsageError for one that the set does not have."""
    prompt = show_prompt(model, problem_set.problem(task), drawing.prompt_mode, drawing.engine)
    answer({"task_id": task, "prompt": prompt})
    if not json_is_wanted():
        write_out(prompt + "\n")
