"""Files that nobody can take, for tests of what is said of them."""

from __future__ import annotations

import copy
import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# What nobody can read as rows, whatever stands in them.
CONTENTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda good: b"",
    "blank lines": lambda good: b"\n \n\t\n",
    "a byte order mark alone": lambda good: b"\xef\xbb\xbf",
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "UTF-32": lambda good: good.decode().encode("utf-32"),
    "Latin-1": lambda good: good.replace(b"T/0", b"T/\xe9"),
    "NUL bytes": lambda good: b"\0" * 5000,
    "a NUL among them": lambda good: good[:5] + b"\0" + good[5:],
    "noise": lambda good: bytes(range(256)) * 20,
    "an ELF": lambda good: b"\x7fELF" + bytes(200),
    "cut": lambda good: good[: len(good) // 2],
    "cut packed": lambda good: gzip.compress(good)[:-9],
    "broken packed": lambda good: gzip.compress(good)[:12] + b"\xff" * 40,
    "HTML": lambda good: b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n",
    "prose": lambda good: b"Not Found\n",
    "a list of numbers": lambda good: b"[1, 2, 3]\n",
    "a string": lambda good: b'"' + good.replace(b'"', b"'").strip() + b'"\n',
    "null": lambda good: b"null\n",
    "an empty object": lambda good: b"{}\n",
    "an empty list": lambda good: b"[]\n",
    "deep": lambda good: good + b'{"a":' * 100_000 + b"\n",
    "NaN": lambda good: good.replace(b"{", b'{"x": NaN, ', 1),
    "infinity": lambda good: good.replace(b"{", b'{"x": -Infinity, ', 1),
    "no end of digits": lambda good: good.replace(b"{", b'{"x": ' + b"9" * 9999 + b", ", 1),
    "twice": lambda good: (
        good + good if b"prompt" in good else good.replace(b"{", b'{"a":1,"a":1,')
    ),
    "a carriage return": lambda good: good.rstrip().replace(b" ", b"\r"),
}


def _socket(path: Path) -> None:
    place = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(place)


# What is no file; none of it may be waited for.
NO_FILES: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a fifo": os.mkfifo,
    "a socket": _socket,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "/dev/null": lambda path: path.symlink_to("/dev/null"),
    "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "what cannot be read": lambda path: path.symlink_to("/proc/self/mem"),
}


# What may stand at any place of a row or document, and should not.
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 10**18, -(10**40), 10**299, 1e308, -0.0, 0.5]),
    st.sampled_from(["", " ", "\0", "\ud800", "\u2028", "\x1b[2J", "../../etc/passwd", "x" * 5000]),
    st.sampled_from(["fn", "fn f", "r#f", "}", "{" * 50, '"', "/*", "T/0", "#[test]", "use x::*;"]),
    st.text(max_size=20),
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.integers()), max_size=2),
    st.builds(lambda: [[[[[[[[]]]]]]]]),
)
THOROUGH = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def places_of(document: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, by the keys that lead there."""
    found = [way] if way else []
    if isinstance(document, dict):
        return found + [
            place for key in document for place in places_of(document[key], (*way, key))
        ]
    if isinstance(document, list):
        return found + [
            place for i, item in enumerate(document[:3]) for place in places_of(item, (*way, i))
        ]
    return found


@st.composite
def spoiled(draw: st.DrawFn, document: Any) -> Any:
    """A document of which something is taken away, added, or another thing."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(places_of(document)))
        inner = document
        for step in way:
            inner = inner[step]
        kind = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if kind == "remove":
            del inner[last]
        elif kind == "add" and isinstance(inner, dict):
            inner[draw(st.text(max_size=5))] = draw(ODD)
        else:
            inner[last] = draw(ODD)
        if not document:
            break
    return document
