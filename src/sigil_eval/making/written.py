"""Rows as files of training data: JSONL, or Parquet on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from pathlib import Path

from sigil_eval.documents.dataset_made import MadeFile, MadeRow, SplitName
from sigil_eval.errors import UsageError
from sigil_eval.files import replacing, sha256_file, write_jsonl

_ROWS_OF_A_GROUP = 1000
_FIELDS = [*MadeRow.__annotations__]
_NUMBERS = {"_writer_temperature": "float64", "_writer_seed": "int64"}


def require_parquet() -> None:
    """Raises UsageError where Parquet cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError(
            "Parquet is written by pyarrow, which is not here; pip install '.[data]' installs it"
        ) from None


def write_split(folder: Path, split: SplitName, rows: Iterable[MadeRow], parquet: bool) -> MadeFile:
    """Write the rows of a split, one at a time; the same rows give the same bytes."""
    path = folder / f"{split}.{'parquet' if parquet else 'jsonl'}"
    written = 0

    def counted() -> Iterator[MadeRow]:
        nonlocal written
        for row in rows:
            written += 1
            yield row

    (_write_parquet if parquet else write_jsonl)(path, counted())
    return {"name": path.name, "split": split, "sha256": sha256_file(path), "rows": written}


def _write_parquet(path: Path, rows: Iterable[MadeRow]) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = pyarrow.schema([(name, _NUMBERS.get(name, "string")) for name in _FIELDS])
    with replacing(path) as stream, ParquetWriter(stream, schema) as writer:
        for some in batched(rows, _ROWS_OF_A_GROUP):
            writer.write_table(pyarrow.Table.from_pylist([{**row} for row in some], schema))
