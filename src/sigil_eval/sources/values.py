"""The JSON values of a file, each with its place: lines, a list's items, or one whole.

A file whose name says that it has rows has rows; of any other, its beginning decides.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import LONGEST_LINE, lines_in, object_of, value_of
from sigil_eval.sources.opening import opened, shown

LONGEST_WHOLE = 256 << 20
_OF_ROWS = (".jsonl", ".jsonl.gz")


def values_of(source: Path) -> Iterator[tuple[str, Any]]:
    """Values with their places, for messages: objects, and lists that stand in a list.

    Raises UsageError with file, line and reason.
    """
    name = shown(source)
    with opened(source) as stream:
        if name.endswith(_OF_ROWS):
            yield from _rows(stream, name)
        else:
            yield from _of_any_shape(stream, name)


def _rows(stream: io.BufferedReader, name: str, before: int = 0) -> Iterator[tuple[str, Any]]:
    for number, line in lines_in(stream, name):
        yield f"{name}:{before + number}", object_of(line, name, before + number)


def _of_any_shape(stream: io.BufferedReader, name: str) -> Iterator[tuple[str, Any]]:
    begun, number, first = b"", 0, b"\n"
    while first and not first.strip() and len(begun) < LONGEST_LINE:
        first = stream.readline(LONGEST_LINE + 1)
        begun, number = begun + first, number + 1
    if not first.strip():
        if len(begun) >= LONGEST_LINE:
            raise UsageError(f"{name}: begins with more than {LONGEST_LINE >> 20} MiB of blanks")
        return
    start = first.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"["):
        yield from _items(value_of(_whole(begun, stream, name), name), name)
        return
    try:
        row = object_of(first, name, number)
    except UsageError:
        # A row that is broken, or the first line of an object that takes several.
        if not start.startswith(b"{") or first.rstrip().endswith(b"}"):
            raise
        yield name, object_of(_whole(begun, stream, name), name, None)
        return
    yield f"{name}:{number}", row
    yield from _rows(stream, name, number)


def _whole(begun: bytes, stream: io.BufferedReader, name: str) -> bytes:
    data = begun + stream.read(LONGEST_WHOLE + 1 - len(begun))
    if len(data) > LONGEST_WHOLE:
        raise UsageError(
            f"{name}: more than {LONGEST_WHOLE >> 20} MiB in one value; as JSONL, a row a line, "
            "a file may be of any length"
        )
    return data


def _items(items: list[Any], name: str) -> Iterator[tuple[str, Any]]:
    for number, item in enumerate(items, 1):
        place = f"{name}: item {number}"
        if not isinstance(item, dict | list) or type(item) is not type(items[0]):
            raise UsageError(f"{place}: expected objects, or lists of texts, all of one kind")
        yield place, item
