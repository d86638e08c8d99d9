"""The checkpoints of a training run: which there are, in which order, and which are whole."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.errors import UsageError
from sigil_eval.files import json_value, lines_in, open_file
from sigil_eval.generation.hub import folders_of
from sigil_eval.generation.model_files import ADAPTER_CONFIG, MODEL_CONFIG, choose_files
from sigil_eval.generation.models import is_hub_id
from sigil_eval.generation.protocol import NO_TRUST, Trust
from sigil_eval.run_folder import BASE

_CHECKPOINT = re.compile(r"checkpoint-([0-9]{1,12})")
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_LABEL = 60


@dataclass(frozen=True)
class Checkpoint:
    """What training left at a step: an adapter's or a model's folder, or its name on the hub.

    `label` is what its results are filed under; `step` is None where its name has none.
    """

    label: str
    name: str
    step: int | None


@dataclass(frozen=True)
class Found:
    """Checkpoints in the order of their steps, and why others were left out, by name."""

    checkpoints: tuple[Checkpoint, ...]
    left_out: dict[str, str]


def find_checkpoints(
    sources: Sequence[str],
    trust: Trust = NO_TRUST,
    revision: str | None = None,
    *,
    some_will_come: bool = False,
) -> Found:
    """The checkpoints that `sources` name, by their number: 500 before 12000.

    A source is the folder of a training run, with `checkpoint-N` folders in it; one checkpoint; the
    same on the hub, `org/name` or `org/name/checkpoint-N`; or a text file with one of these a line,
    where `#` begins a remark and a relative path is taken from the file's folder. A folder that
    is not whole is left out, as training may be writing it. `revision` is of repositories. A run's
    folder may be empty where `some_will_come`.

    Raises UsageError for a source that is none of these, and for a checkpoint that is named twice.
    """
    names: list[str] = []
    for place, name, folder in _named(sources):
        inside = _in_folder(place, folder, some_will_come) if folder else _on_hub(name, revision)
        for checkpoint in inside:
            if checkpoint in names:
                raise UsageError(f"{place}: {checkpoint} is named twice")
            names.append(checkpoint)
    left_out = {name: reason for name in names if (reason := why_not_whole(Path(name), trust))}
    whole = sorted((name for name in names if name not in left_out), key=_by_step)
    labels = _labels(whole)
    found = (Checkpoint(labels[name], name, _step_of(name)) for name in whole)
    return Found(tuple(found), left_out)


def _named(sources: Sequence[str]) -> Iterator[tuple[str, str, Path | None]]:
    """What is named by the sources and in their lists: the place, the name, its folder if any."""
    for source in sources:
        path = Path(source).expanduser()
        if path.is_file():
            yield from _in_list(path)
        else:
            yield source, source, _folder_or_hub(source, source, path)


def _in_list(path: Path) -> Iterator[tuple[str, str, Path | None]]:
    named = False
    with open_file(path) as stream:
        for number, line in lines_in(stream, path):
            place = f"{path}:{number}"
            try:
                name = line.decode("utf-8").partition("#")[0].strip(" \t\r\n\ufeff")
            except UnicodeDecodeError:
                raise UsageError(f"{place}: not UTF-8 text; expected a checkpoint a line") from None
            if name:
                named = True
                yield (
                    place,
                    name,
                    _folder_or_hub(place, name, path.parent / Path(name).expanduser()),
                )
    if not named:
        raise UsageError(f"{path}: names no checkpoint; expected one a line")


def _folder_or_hub(place: str, name: str, path: Path) -> Path | None:
    """The folder that is meant; None where it can only be a name on the hub."""
    if path.is_dir():
        return path
    if path.exists() or not is_hub_id(name):
        raise UsageError(
            f"{place}: {name} is no folder, and no id on the hub (org/name or "
            "org/name/checkpoint-N)"
        )
    return None


def _in_folder(place: str, folder: Path, may_be_empty: bool) -> list[str]:
    """The checkpoints in a training run's folder, or the folder itself."""
    inside = [str(path) for path in folder.iterdir() if path.is_dir() and _is_checkpoint(path.name)]
    if inside:
        return sorted(inside, key=_by_step)
    alone = (folder / ADAPTER_CONFIG).exists() or (folder / MODEL_CONFIG).exists()
    if not alone and not _is_checkpoint(folder.name):
        if may_be_empty:
            return []
        raise UsageError(
            f"{place}: {folder} holds no folder checkpoint-N, and is no checkpoint itself (it has "
            f"no {ADAPTER_CONFIG})"
        )
    return [str(folder)]


def _on_hub(name: str, revision: str | None) -> list[str]:
    """The checkpoints in a repository, or what was named."""
    if _is_checkpoint(name.rsplit("/", 1)[-1]):
        return [name]
    inside = [f"{name}/{folder}" for folder in folders_of(name, revision) if _is_checkpoint(folder)]
    return sorted(inside, key=_by_step) or [name]


def _is_checkpoint(folder: str) -> bool:
    return _CHECKPOINT.fullmatch(folder) is not None


def _step_of(name: str) -> int | None:
    """The training step in the name of a checkpoint's folder."""
    found = _CHECKPOINT.fullmatch(name.rstrip("/").rsplit("/", 1)[-1])
    return int(found[1]) if found else None


def _by_step(name: str) -> tuple[bool, int]:
    """For sorting: by step, those without one last."""
    step = _step_of(name)
    return step is None, step or 0


def _labels(names: Sequence[str]) -> dict[str, str]:
    """What each is filed under: its folder's name, with as much of the path as tells it apart."""
    paths = {name: [part for part in Path(name).parts if part not in ("/", "..")] for name in names}
    longest = max(map(len, paths.values()), default=0)
    for depth in range(1, longest + 1):
        labels = {name: _label(parts[-depth:]) for name, parts in paths.items()}
        if len(set(labels.values())) == len(names):
            return labels
    return {name: f"{number}-{_label(paths[name][-1:])}" for number, name in enumerate(names, 1)}


def _label(parts: Sequence[str]) -> str:
    made = _NOT_IN_LABELS.sub("-", "-".join(parts)).strip(".-")[-_LONGEST_LABEL:] or "checkpoint"
    return f"{made}-checkpoint" if made == BASE else made


def why_not_whole(folder: Path, trust: Trust = NO_TRUST) -> str:
    """What a local checkpoint lacks; empty for one that is whole, and for what is no folder here.

    Training writes weights before their configuration, and a file that is being written is shorter
    than its header says.
    """
    if not folder.is_dir():
        return ""
    files = [path.name for path in folder.iterdir() if path.is_file()]
    try:
        chosen = choose_files(str(folder), files, trust)
    except UsageError as error:
        return str(error).removeprefix(f"{folder} ")
    for file in chosen:
        path = folder / file
        if file.endswith(".safetensors") and path.stat().st_size != _size_by_header(path):
            return f"{file} is not all there"
        if file in (ADAPTER_CONFIG, MODEL_CONFIG) and not _is_json(path):
            return f"{file} is not all there"
    return ""


def _is_json(path: Path) -> bool:
    try:
        json_value(path.read_bytes())
    except ValueError:
        return False
    return True


def _size_by_header(path: Path) -> int | None:
    """The size that a safetensors file must have: 8 bytes, the header, and the tensors' bytes, up
    to the largest of its offsets (the format's specification). None for no such file."""
    with path.open("rb") as stream:
        start = stream.read(8)
        if len(start) < 8:
            return None
        (length,) = struct.unpack("<Q", start)
        if length > path.stat().st_size:
            return None
        try:
            header = json_value(stream.read(length))
            ends = [int(t["data_offsets"][1]) for n, t in header.items() if n != "__metadata__"]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return None
        return int(8 + length + max(ends, default=0))
