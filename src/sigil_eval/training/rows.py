"""Rows of training data from where a configuration says they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sigil_eval.documents.shape import check
from sigil_eval.documents.training import TrainingRow
from sigil_eval.errors import PreflightError, UsageError, quoted
from sigil_eval.files import object_of, sha256_file
from sigil_eval.training.configuration import Dataset


@dataclass(frozen=True)
class Row:
    """What is asked and answered; the prompt of a plain text is empty. A row that is held out is
    not trained on."""

    prompt: str
    answer: str
    task: str = ""
    path: str = ""
    held_out: bool = False


@dataclass(frozen=True)
class Source:
    """A data set that was found: its name in the configuration, and what it is by content."""

    name: str
    revision: str

    @property
    def path(self) -> Path | None:
        """Of a file; None for a data set of the hub."""
        kind, colon, path = self.name.partition(":")
        return Path(path).expanduser() if colon and kind in ("local", "parquet") else None


def find_source(name: str) -> Source:
    """Raises UsageError for a file that is not there, PreflightError where the hub cannot be
    asked."""
    path = Source(name, "").path
    if path is None:
        return Source(name, _commit_of(name))
    if not path.is_file():
        raise UsageError(f"{name}: {path}: no such file")
    return Source(name, f"sha256:{sha256_file(path)}")


def rows_of(source: Source, told: Dataset) -> Iterator[Row]:
    """The rows of a source. Raises UsageError with file, row and reason."""
    values = _of_the_hub(source, told) if source.path is None else _of_file(source.path)
    for place, value in values:
        if source.path is None and isinstance(value.get("content"), str):
            held_out = _is_held_out(value, place)
            yield Row("", value["content"], path=_text(value, "path"), held_out=held_out)
            continue
        row: Any = check(value, TrainingRow, place)
        path = _text(row, "_file_path") or _text(row, "path")
        held_out = _is_held_out(value, place)
        yield Row(row["prompt"], row["gen"], _text(row, "_task_type"), path, held_out)


def _is_held_out(row: dict[str, Any], place: str) -> bool:
    from sigil_eval.dataset.rows import split_of

    split = split_of(row)
    if split not in ("", "train", "val"):
        raise UsageError(
            f"{place}: its split is {quoted(split)}; rows of `train` are trained on, and those of "
            "`val` held out: take others out of the file"
        )
    return split == "val"


def _text(row: dict[str, Any], name: str) -> str:
    return row.get(name) or ""


def _of_file(path: Path) -> Iterator[tuple[str, Any]]:
    from sigil_eval.dataset.files import rows_of as numbered_rows

    for number, row in numbered_rows(path):
        yield f"{path}:{number}", object_of(row, path, number) if isinstance(row, bytes) else row


def _commit_of(name: str) -> str:
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(name).sha)
    except Exception as error:
        raise _not_had(name, error) from error


def _of_the_hub(source: Source, told: Dataset) -> Iterator[tuple[str, Any]]:
    from datasets import load_dataset

    try:
        found = load_dataset(
            source.name, split="train", revision=source.revision, cache_dir=told.cache_dir
        )
    except Exception as error:
        raise _not_had(source.name, error) from error
    for number, value in enumerate(found, 1):
        yield f"{source.name}: row {number}", value


def _not_had(name: str, error: Exception) -> PreflightError:
    reason = (str(error).strip() or type(error).__name__).split("\n")[0]
    return PreflightError(
        f"{name}: no data set that the hub gives: {reason[:300]}; a file is named "
        "local:FILE.jsonl or parquet:FILE.parquet"
    )
