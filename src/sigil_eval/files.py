"""Reading and writing the files of a run: JSONL, atomic replacement, and append-only journals."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sigil_eval.errors import UsageError

Row = dict[str, Any]


def sha256_text(text: str) -> str:
    """Hexadecimal SHA-256 of the UTF-8 encoding of `text` (lone surrogates are kept)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def dump_row(row: Mapping[str, object]) -> str:
    """One JSONL line without its newline; the same row always gives the same bytes."""
    return json.dumps(row, ensure_ascii=True, separators=(", ", ": "))


def read_jsonl(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield `(line number from 1, object)` for each line that is not blank.

    Raises UsageError naming the file, line and reason when a line is not a JSON object,
    or when the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, _parse_row(path, number, line)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _parse_row(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{path}:{number}: not valid JSON: {error.msg} (column {error.colno})"
        ) from None
    if not isinstance(row, dict):
        raise UsageError(f"{path}:{number}: expected a JSON object, found {type(row).__name__}")
    return row


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace `path` in one step: readers see the old content or the new, never a part."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    write_chunks_atomic(path, [data])


def write_jsonl(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as JSONL, atomically, one at a time (memory does not grow with the file)."""
    write_chunks_atomic(path, ((dump_row(row) + "\n").encode("utf-8") for row in rows))


def write_chunks_atomic(path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` to a temporary sibling of `path`, then rename it over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_parts_of_the_dead(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove_parts_of_the_dead(path: Path) -> None:
    """Take away what processes that were killed had begun to write in this file's place."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        writer = part.name.split(".")[-2]
        if writer.isdigit() and not Path(f"/proc/{writer}").exists():
            part.unlink(missing_ok=True)


class Journal:
    """An append-only JSONL file that survives being killed at any moment.

    A line that a kill left unfinished is cut off when the journal is opened again; every
    complete line before it is kept. Use as a context manager; rows are flushed to the
    operating system as they are appended, so only a machine crash can lose them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._drop_torn_line()
        self._stream = path.open("a", encoding="utf-8")

    def _drop_torn_line(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb+") as stream:
            size = stream.seek(0, os.SEEK_END)
            keep = size
            while keep > 0:
                start = max(0, keep - 65536)
                stream.seek(start)
                newline = stream.read(keep - start).rfind(b"\n")
                if newline >= 0:
                    keep = start + newline + 1
                    break
                keep = start
            if keep < size:
                stream.truncate(keep)

    def rows(self) -> Iterator[Row]:
        """The rows appended so far, oldest first."""
        self._stream.flush()
        for _, row in read_jsonl(self.path):
            yield row

    def append(self, row: Mapping[str, object]) -> None:
        """Add one row; it is in the operating system's hands when this returns."""
        self._stream.write(dump_row(row) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Flush to disk and close."""
        if not self._stream.closed:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
