"""What a name stands for: standard input, or a file, packed by gzip or not; bytes, bounded."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from sigil_eval.errors import UsageError

STANDARD_INPUT = Path("-")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_PROMPTLY_UNPACKED = 64 << 20
_MOST_EXPANSION = 300


def shown(source: Path) -> str:
    """What a source is called in messages."""
    return "standard input" if source == STANDARD_INPUT else str(source)


@contextlib.contextmanager
def opened(source: Path) -> Iterator[io.BufferedReader]:
    """The bytes of a source, unpacked where they are gzip's, whatever it is called.

    Raises UsageError for what is no file, cannot be read, or cannot be unpacked, then or later.
    """
    try:
        with contextlib.ExitStack() as stack:
            plain = _plain(source, stack)
            start = plain.peek(len(_ZIP))
            if start.startswith(_ZIP):
                raise UsageError(_why_not_zip(source))
            yield _unpacked(source, plain) if start.startswith(_GZIP) else plain
    except EOFError:
        raise UsageError(f"{shown(source)}: the gzip data end too early") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{shown(source)}: not valid gzip data: {error}") from None
    except OSError as error:
        raise UsageError(f"{shown(source)}: cannot be read: {error.strerror}") from None


def _plain(source: Path, stack: contextlib.ExitStack) -> io.BufferedReader:
    if source != STANDARD_INPUT:
        if not source.exists():
            raise UsageError(f"{source}: no such file")
        if not source.is_file():
            raise UsageError(
                f"{source}: neither a file nor a folder; what comes from a pipe is read as `-`"
            )
        return stack.enter_context(source.open("rb"))
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal; send a file into it, or name one")
    return cast(io.BufferedReader, sys.stdin.buffer)


def _unpacked(source: Path, packed: io.BufferedReader) -> io.BufferedReader:
    counted = _Counted(packed)
    unpacked = gzip.GzipFile(fileobj=io.BufferedReader(counted), mode="rb")
    return io.BufferedReader(_Bounded(unpacked, counted, shown(source)))


class _Counted(io.RawIOBase):
    """A stream that counts the bytes that are read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As for every raw stream."""
        got = int(self._stream.readinto(buffer))
        self.count += got
        return got


class _Bounded(_Counted):
    """What a small file unpacks to, as long as it does so within reason."""

    def __init__(self, stream: Any, packed: _Counted, name: str) -> None:
        super().__init__(stream)
        self._packed, self._name = packed, name

    def readinto(self, buffer: Any) -> int:
        """Raises UsageError where there is more than anybody has written by hand or by model."""
        got = super().readinto(buffer)
        if self.count > max(_PROMPTLY_UNPACKED, _MOST_EXPANSION * self._packed.count):
            raise UsageError(
                f"{self._name}: unpacks to more than {_MOST_EXPANSION} times its size; if that is "
                "meant, unpack it yourself, and name what comes of it"
            )
        return got


def _why_not_zip(source: Path) -> str:
    folder = "FOLDER"
    return (
        f"{shown(source)}: a zip archive. If it is a log of inspect, write it as JSON first, "
        f"`inspect log convert {shown(source)} --to json --output-dir {folder}`, and name what is "
        f"in {folder}; of another archive, name what is in it"
    )
