"""The checkpoints of a training: which are whole, and which training they belong to."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.documents.shape import read_document
from sigil_eval.documents.training import TRAINING_FILE, Training
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.training.configuration import Configuration

_NAME = re.compile(r"checkpoint-([0-9]{1,12})")
# What decides the weights: where one of these differs, it is another training.
_DECIDING = ("configuration", "base", "start", "data", "prompt", "hardware", "versions")


def checkpoint_folders(output: Path) -> list[tuple[int, Path]]:
    """Steps and folders, ascending by step, whole or not."""
    found = []
    for path in output.iterdir() if output.is_dir() else ():
        name = _NAME.fullmatch(path.name)
        if name and path.is_dir():
            found.append((int(name[1]), path))
    return sorted(found)


@dataclass(frozen=True)
class Reached:
    """A checkpoint and its record."""

    folder: Path
    training: Training


def go_on_from(output: Path, training: Training) -> Reached | None:
    """The last whole checkpoint of this very training; None where there is none.

    What a kill has left of a checkpoint is taken away. Raises UsageError where `output` holds
    another training, or checkpoints of nobody knows which.
    """
    folders = checkpoint_folders(output)
    beside = output / TRAINING_FILE
    if not beside.exists():
        if folders:
            raise UsageError(
                f"{output} holds {folders[0][1].name} and no {TRAINING_FILE}: not written by "
                "`sigil-eval train`; name another misc.output_dir"
            )
        return None
    _check_same(beside, read_document(beside, Training), training)
    last = None
    for _, folder in folders:
        if not (folder / TRAINING_FILE).exists():
            shutil.rmtree(folder)
            continue
        last = Reached(folder, read_document(folder / TRAINING_FILE, Training))
    return last


def check_space(parameters: int, told: Configuration, done: int) -> None:
    """Raises PreflightError where misc.output_dir has no room for the checkpoints after `done`
    steps: of each of `parameters` that are trained the weight, in float32, and what the optimizer
    knows of it, two numbers of the same size, or in 8 bits."""
    output = Path(told.misc.output_dir)
    count = sum(step > done for step in told.checkpoints)
    each = parameters * (4 + (2 if "8bit" in told.train.optimizer else 8))
    free = shutil.disk_usage(output).free
    if count * each > free:
        raise PreflightError(
            f"{output}: {count} checkpoints of {each / 1e9:.2g} GB each will not fit into the "
            f"{free / 1e9:.2g} GB that are free there: make room, name a misc.output_dir that has "
            "it, or save less often (train.save_every)"
        )


def _check_same(file: Path, there: Training, here: Training) -> None:
    then, now = dict(there), dict(here)
    for part in _DECIDING:
        if then[part] != now[part]:
            raise UsageError(
                f"{file} is of another training: {_difference(part, then[part], now[part])}. Name "
                "another misc.output_dir, or take that folder away to train anew"
            )


def _difference(name: str, there: object, here: object) -> str:
    """Where two values differ first, and how."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys()):
            if there.get(key) != here.get(key):
                return _difference(f"{name}.{key}", there.get(key), here.get(key))
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, (one, other) in enumerate(zip(there, here, strict=True)):
            if one != other:
                return _difference(f"{name}.{number}", one, other)
    return f"{name} is {here}, and was {there}"
