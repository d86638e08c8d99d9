"""Look into a compiled library for symbols and sections that could take over the process."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MANGLED = (b"_R", b"_ZN")
# The module in which rustc puts the functions of a global allocator: it runs in the whole process.
_ALLOCATOR = b"___rustc"
_STARTUP = (".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".init", ".fini")
_STARTUP_NAMES = tuple(name.encode() for name in _STARTUP)

# Of ELF for 64 bits, little endian: where the section table is, a section, and a symbol.
_IDENTITY = b"\x7fELF\x02\x01"
_TABLE = struct.Struct("<40xQ10xHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMBOL_TABLES = (2, 11)
_NO_BITS = 8
_LOCAL, _UNDEFINED = 0, 0
# Hidden and internal symbols stay within what is linked into one file.
_VISIBLE = (0, 3)


class _Section(NamedTuple):
    name: bytes
    kind: int
    content: bytes
    link: int


def intrusions(library: Path) -> list[str]:
    """What `library` (an rlib) exports or runs that plain Rust code would not.

    Global symbols without Rust's mangling can replace functions of the C library (memcmp,
    exit, main), and those of a global allocator serve the judge's runtime, too; start-up sections
    run before the harness does. Returns one line for each.
    """
    found: set[str] = set()
    for member in _members(library.read_bytes()):
        if member[:4] == _IDENTITY[:4]:
            try:
                found.update(_inspect(member))
            except (struct.error, IndexError, ValueError) as error:
                found.add(f"unreadable object ({error})")
    return sorted(found)


def _inspect(member: bytes) -> Iterator[str]:
    sections = _sections(member)
    for section in sections:
        if section.name.startswith(_STARTUP_NAMES):
            yield f"section {_shown(section.name)}"
        if section.kind in _SYMBOL_TABLES:
            for name in _exported(section.content, sections[section.link].content):
                if name and (not name.startswith(_MANGLED) or _ALLOCATOR in name):
                    yield f"symbol {_shown(name)}"


def _sections(member: bytes) -> list[_Section]:
    if not member.startswith(_IDENTITY):
        raise ValueError("not of this machine's kind")
    offset, size, count, names_at = _TABLE.unpack_from(member)
    # Where there are more than the header can count, the first section tells how many.
    first = _SECTION.unpack_from(member, offset)
    count, names_at = count or first[5], first[6] if names_at == 0xFFFF else names_at
    headers = [_SECTION.unpack_from(member, offset + index * size) for index in range(count)]
    contents = [
        b"" if header[1] == _NO_BITS else member[header[4] : header[4] + header[5]]
        for header in headers
    ]
    names = contents[names_at]
    return [
        _Section(_text_at(names, header[0]), header[1], content, header[6])
        for header, content in zip(headers, contents, strict=True)
    ]


def _exported(symbols: bytes, names: bytes) -> Iterator[bytes]:
    """The names that other objects are linked with."""
    for at, info, other, section, _, _ in _SYMBOL.iter_unpack(symbols):
        if info >> 4 != _LOCAL and section != _UNDEFINED and other & 3 in _VISIBLE:
            yield _text_at(names, at)


def _text_at(texts: bytes, start: int) -> bytes:
    return texts[start : texts.index(b"\0", start)]


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _members(archive: bytes) -> Iterator[bytes]:
    """The members of an `ar` archive (60-byte headers, even alignment)."""
    position = 8
    while position + 60 <= len(archive):
        size = int(archive[position + 48 : position + 58])
        start = position + 60
        yield archive[start : start + size]
        position = start + size + size % 2
