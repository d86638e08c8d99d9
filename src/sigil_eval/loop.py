"""From a list of crates to a verdict: data made, checked and trained on, all checkpoints evaluated.

Each stage is what its own command does, and goes on where it was stopped: crates that were read,
steps that were taken, samples that were drawn and programs that were judged are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.console import mention, say
from sigil_eval.dataset import check_dataset, report
from sigil_eval.errors import UsageError
from sigil_eval.evaluation import EvaluationSettings, check_evaluation, try_evaluation
from sigil_eval.files import write_atomic
from sigil_eval.generation.checkpoints import Found
from sigil_eval.making.crate_list import read_crates
from sigil_eval.making.fetch import pipeline_version
from sigil_eval.making.make import Request as DataRequest
from sigil_eval.making.make import make_dataset
from sigil_eval.making.report import report as report_of_data
from sigil_eval.record.training_data import CHECK_FILE
from sigil_eval.sweep import SweepSettings, run_sweep
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.needs import check_libraries
from sigil_eval.training.reading import read_configuration
from sigil_eval.training.rows import Source, find_source
from sigil_eval.training.train import Request as TrainingRequest
from sigil_eval.training.train import train

# What the rows that are made may be called in dataset.names, and whether that is Parquet.
_MADE = {("local", "train.jsonl"): False, ("parquet", "train.parquet"): True}


@dataclass(frozen=True)
class LoopSettings:
    """Which crates, by which configuration of a training, and how its checkpoints are evaluated.

    `data` makes of a folder, and of whether Parquet is wanted there, what is to be made; `sweep` of
    the configuration what is evaluated: its base, and what it leaves.
    """

    crates: Path
    configuration: Path
    data: Callable[[Path, bool], DataRequest]
    training: TrainingRequest
    sweep: Callable[[Configuration], SweepSettings]


def run_loop(wanted: LoopSettings) -> None:
    """Make data of crates, check them, train on them, and evaluate every checkpoint.

    Raises UsageError and PreflightError before any work for all that can be known by then, and
    else what `make_dataset`, `train` and `run_sweep` raise.
    """
    told, data, evaluation = _beforehand(wanted)
    check_evaluation(evaluation)
    times = evaluation.folder.clock(counted=False)
    mention(f"1 of 4: training data of the crates in {wanted.crates}, into {data.folder}")
    with times.phase("making data"):
        made = make_dataset(data)
    say(report_of_data(made))
    mention("2 of 4: whether the data hold the benchmark, and are well formed")
    with times.phase("checking data"):
        _check_data(told, data, [data.folder / file["name"] for file in made["files"]])
    mention(f"3 of 4: training by {wanted.configuration}, into {told.misc.output_dir}")
    with times.phase("training"):
        train(wanted.configuration, wanted.training)
        _forget_training()
    mention(f"4 of 4: the base against what is in {told.misc.output_dir}")
    run_sweep(wanted.sweep(told))


def try_loop(wanted: LoopSettings) -> None:
    """Check all that can be checked beforehand, without writing anything."""
    told, data, evaluation = _beforehand(wanted)
    say(f"{len(read_crates(wanted.crates))} crates, into {data.folder}")
    say(f"{told.train.num_steps} steps of training, into {told.misc.output_dir}")
    try_evaluation(evaluation)


def _beforehand(wanted: LoopSettings) -> tuple[Configuration, DataRequest, EvaluationSettings]:
    """What is asked for, where all that a stage needs is there: the configuration, which data are
    to be made, and the evaluation, of the base alone as yet."""
    told, file, is_parquet = read_inputs(wanted.crates, wanted.configuration)
    data = wanted.data(file.parent, is_parquet)
    pipeline_version()
    check_libraries(told)
    from sigil_eval.training.prepared import model_and_machine

    model_and_machine(told, wanted.training.device)
    return told, data, wanted.sweep(told).evaluation(Found((), {}))


def read_inputs(crates: Path, configuration: Path) -> tuple[Configuration, Path, bool]:
    """The configuration, the file of rows that it reads and that is yet to be made, and whether
    that is Parquet.

    Raises UsageError where the configuration or the list of crates cannot be read, where no rows
    are to be made, and where others that it reads are not there.
    """
    told = read_configuration(configuration)
    read_crates(crates)
    made = [name for name in told.dataset.names if _is_made(name)]
    for name in told.dataset.names:
        if name not in made:
            find_source(name)
    if len(made) != 1:
        raise UsageError(
            f"{configuration}: dataset.names must have the rows that are made once, as "
            f"local:FOLDER/train.jsonl or parquet:FOLDER/train.parquet, and has {len(made)} such"
        )
    kind, _, path = made[0].partition(":")
    file = Path(path).expanduser()
    return told, file, _MADE[kind, file.name]


def _is_made(name: str) -> bool:
    kind, _, path = name.partition(":")
    return (kind, Path(path).name) in _MADE


def _check_data(told: Configuration, data: DataRequest, made: list[Path]) -> None:
    """Say what is in the data, those of other sources, too, and write it beside what was made.

    It is the training that refuses problems of the benchmark.
    """
    paths = [Source(name, "").path for name in told.dataset.names if not _is_made(name)]
    found = check_dataset([*made, *filter(None, paths)])
    write_atomic(data.folder / CHECK_FILE, json.dumps(found, indent=1) + "\n")
    say(report(found))


def _forget_training() -> None:
    """Give back what a training has taken: a GPU's memory, and its choice of algorithms."""
    import gc

    import torch

    gc.collect()
    torch.cuda.empty_cache()
    torch.use_deterministic_algorithms(False)
