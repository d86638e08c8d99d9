"""Files of training data: JSONL, packed by gzip or not, standard input, and Parquet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.dataset.rows import Numbered
from sigil_eval.errors import UsageError
from sigil_eval.files import lines_in
from sigil_eval.sources import STANDARD_INPUT, opened, shown

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_PARQUET = b"PAR1"
_CHUNK_BYTES = 1 << 20
_ROWS_AT_A_TIME = 500


def rows_of(source: Path) -> Iterator[Numbered]:
    """Rows with their numbers; lines as they stand, for JSON is read by many processes.

    Raises UsageError for what cannot be read, or is no file of rows.
    """
    if _is_parquet(source):
        yield from _rows_of_parquet(source)
        return
    with opened(source) as stream:
        for number, line in lines_in(stream, shown(source)):
            if number == 1 and line.lstrip().startswith(b"["):
                raise UsageError(
                    f"{shown(source)}: a list; write it as JSONL, a row a line: jq -c '.[]'"
                )
            yield number, line


def count_rows(source: Path) -> int | None:
    """How many rows there are, blank lines included; None of standard input."""
    if source == STANDARD_INPUT:
        return None
    if _is_parquet(source):
        with _parquet(source) as file:
            return int(file.metadata.num_rows)
    with opened(source) as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""))


def _is_parquet(source: Path) -> bool:
    if source == STANDARD_INPUT:
        return False
    with opened(source) as stream:
        return stream.peek(len(_PARQUET)).startswith(_PARQUET)


def _rows_of_parquet(source: Path) -> Iterator[Numbered]:
    with _parquet(source) as file:
        batches = (batch.to_pylist() for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME))
        yield from enumerate((row for batch in batches for row in batch), 1)


@contextlib.contextmanager
def _parquet(source: Path) -> Iterator[ParquetFile]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UsageError(
            f"{source}: Parquet is read by pyarrow, which is not here; "
            "pip install '.[data]' installs it"
        ) from None
    try:
        with ParquetFile(source) as file:
            yield file
    except (ArrowException, OSError) as error:
        raise UsageError(f"{source}: not valid Parquet: {error}") from None
