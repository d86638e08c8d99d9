"""Reading and writing the files of a run: JSONL, atomic replacement, and append-only journals."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import glob
import hashlib
import io
import itertools
import json
import math
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from sigil_eval.errors import PreflightError, UsageError, quoted

Row = dict[str, Any]

LONGEST_LINE = 16 << 20
# A result has its sample's text twice, the code within a bound, and up to three bytes for one.
LONGEST_OWN_LINE = 5 * LONGEST_LINE
DEEPEST = 100
_MOST_DIGITS = 300
_MOST_BLANK_LINES = 1_000_000
_TOO_DEEP = f"nested more than {DEEPEST} deep"


def sha256_text(text: str) -> str:
    """Hexadecimal SHA-256 of the UTF-8 encoding of `text` (lone surrogates are kept)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def open_file(path: Path) -> io.BufferedReader:
    """A file to be read. Raises UsageError for what would be waited for, or never ends."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # of a folder, opening it says so
        raise UsageError(f"{path}: cannot be read: neither a file nor a folder")
    return path.open("rb")


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with open_file(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def stamp_of(path: Path) -> str:
    """What a file is called, its size and its time: where they are the same, so is the file."""
    found = path.lstat()
    return f"{path} {found.st_size} {found.st_mtime_ns}"


_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(", ", ": "))


def dump_row(row: Mapping[str, object]) -> str:
    """One JSONL line without its newline; the same row always gives the same bytes."""
    return _ENCODER.encode(row)


def read_jsonl(path: Path, longest: int = LONGEST_LINE) -> Iterator[tuple[int, Row]]:
    """Yield `(line number from 1, object)` for each line that is not blank.

    Only a line feed ends a line. Raises UsageError naming the file, line and reason when a line is
    not a JSON object or is longer than `longest` bytes, or when the file cannot be read.
    """
    try:
        with open_file(path) as stream:
            for number, line in lines_in(stream, path, longest):
                yield number, object_of(line, path, number)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def lines_in(
    stream: BinaryIO, name: Path | str, longest: int = LONGEST_LINE
) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank with their numbers from 1; only a line feed ends one.

    Raises UsageError for a line of more than `longest` bytes, and for blank lines without end.
    """
    blank = 0
    for number in itertools.count(1):
        line = stream.readline(longest + 1)
        if not line:
            return
        if len(line) > longest:
            raise UsageError(f"{name}:{number}: a line of more than {longest >> 20} MiB")
        if line.strip():
            blank = 0
            yield number, line
        elif (blank := blank + 1) > _MOST_BLANK_LINES:
            raise UsageError(f"{name}:{number}: {_MOST_BLANK_LINES} blank lines, one after another")


def read_json(path: Path) -> Row:
    """The object in a JSON file; UsageError with file, line and reason where there is none."""
    try:
        with open_file(path) as stream:
            data = stream.read()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return object_of(data, path, None)


def object_of(data: bytes, name: Path | str, number: int | None) -> Row:
    """The object that JSON text is. Raises UsageError with file, line and reason."""
    value = value_of(data, name, number)
    if isinstance(value, dict):
        return value
    place = f"{name}:{number}" if number else str(name)
    raise UsageError(f"{place}: expected a JSON object, found {type(value).__name__}")


def value_of(data: bytes, name: Path | str, number: int | None = None) -> Any:
    """What JSON text says; without the `number` of its line, it knows its lines itself.

    Raises UsageError with file, line and reason.
    """
    line = number
    try:
        return json_value(data)
    except UnicodeDecodeError as error:
        line = number or data.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8 text ({error.reason} at byte {error.start})"
    except json.JSONDecodeError as error:
        line = number or error.lineno
        reason = f"not valid JSON: {error.msg} (column {error.colno})"
    except ValueError as error:
        reason = str(error)
    raise UsageError(f"{name}{f':{line}' if line else ''}: {reason}")


def json_value(data: bytes) -> Any:
    """What JSON text in UTF-8 says, with or without a byte order mark.

    Raises ValueError with the reason for what is no JSON, and for what JSON allows and nobody can
    rely on: a key twice, a number beyond all bounds, and what is nested too deep to be walked.
    """
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if data.count(b"[") + data.count(b"{") > DEEPEST:
        _check_depth(value)
    return value


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> Row:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {quoted(twice)} stands twice in one object")
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits; {_MOST_DIGITS} are the most")
    return int(digits)


def _finite_number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{quoted(text)} is too large a number")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"not valid JSON: {name} is no number of JSON's")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_doubles,
    parse_int=_whole_number,
    parse_float=_finite_number,
    parse_constant=_no_constant,
)


def _check_depth(value: Any) -> None:
    level = [[value]]
    for _ in range(DEEPEST + 1):
        held = (item for items in level for item in items)
        inner = [item for item in held if isinstance(item, dict | list)]
        if not inner:
            return
        level = [list(item.values()) if isinstance(item, dict) else item for item in inner]
    raise ValueError(_TOO_DEEP)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace `path` in one step: readers see the old content or the new, never a part.

    Half a character becomes its number, which JSON reads as what it was.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    write_chunks_atomic(path, [data])


def write_jsonl(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as JSONL, atomically, one at a time (memory does not grow with the file)."""
    write_chunks_atomic(path, ((dump_row(row) + "\n").encode("utf-8") for row in rows))


def write_chunks_atomic(path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` to a temporary sibling of `path`, then rename it over `path`."""
    with replacing(path) as stream:
        for chunk in chunks:
            stream.write(chunk)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream into a temporary sibling of `path`, which is renamed over it when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_parts_of_the_dead(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as stream:
            lock(stream.fileno())
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def only_writer(folder: Path, complaint: str) -> Iterator[None]:
    """Keep others from writing into a folder; the lock ends with the process, however it ends.

    Raises PreflightError with the complaint where somebody else holds it.
    """
    with (folder / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PreflightError(f"{folder}: {complaint}") from None
        yield


def _remove_parts_of_the_dead(path: Path) -> None:
    """Take away what processes that were killed had begun to write in this file's place."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        writer = part.name.split(".")[-2]
        if writer.isdigit() and is_abandoned(part, int(writer)):
            part.unlink(missing_ok=True)


def lock(descriptor: int) -> bool:
    """Show that a file or folder is in use, for as long as it is open: see `is_abandoned`. False
    where it is already; a file system that has no locks grants all."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


def is_abandoned(path: Path, maker: int) -> bool:
    """Whether the process that made a file or folder is gone. One that is not seen here may live in
    another container that has the same folder: it holds a lock. False, too, for what is not ours to
    open."""
    if Path(f"/proc/{maker}").exists():
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return lock(descriptor)
    finally:
        os.close(descriptor)


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

    def rows(self) -> Iterator[tuple[int, Row]]:
        """The rows appended so far with their lines' numbers, oldest first.

        Raises UsageError with file, line and reason where somebody else has written.
        """
        self._stream.flush()
        yield from read_jsonl(self.path, LONGEST_OWN_LINE)

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
