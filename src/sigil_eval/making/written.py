"""Rows as files of training data: JSONL, or Parquet on demand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from sigil_eval.documents.dataset_made import MadeFile, MadeRow, SplitName
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file, write_atomic, write_jsonl


def require_parquet() -> None:
    """Raises UsageError where Parquet cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError(
            "Parquet is written by pyarrow, which is not here; pip install '.[data]' installs it"
        ) from None


def write_split(folder: Path, split: SplitName, rows: Sequence[MadeRow], parquet: bool) -> MadeFile:
    """Write the rows of a split, atomically; the same rows give the same bytes."""
    path = folder / f"{split}.{'parquet' if parquet else 'jsonl'}"
    if parquet:
        write_atomic(path, _parquet(rows))
    else:
        write_jsonl(path, rows)
    return {"name": path.name, "split": split, "sha256": sha256_file(path), "rows": len(rows)}


def _parquet(rows: Sequence[MadeRow]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{**row} for row in rows]), stream)
    return stream.getvalue()
