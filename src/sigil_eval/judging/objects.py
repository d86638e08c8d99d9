"""Look into a compiled library for symbols and sections that could take over the process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_MANGLED = ("_R", "_ZN")
# The module in which rustc puts the functions of a global allocator: it runs in the whole process.
_ALLOCATOR = "___rustc"
_STARTUP = (".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".init", ".fini")


def intrusions(library: Path) -> list[str]:
    """What `library` (an rlib) exports or runs that plain Rust code would not.

    Global symbols without Rust's mangling can replace functions of the C library (memcmp,
    exit, main), and those of a global allocator serve the judge's runtime, too; start-up sections
    run before the harness does. Returns one line for each.
    """
    found: list[str] = []
    for member in _members(library.read_bytes()):
        if member[:4] == b"\x7fELF":
            found.extend(_inspect(member))
    return sorted(set(found))


def _inspect(member: bytes) -> Iterator[str]:
    try:
        elf = ELFFile(io.BytesIO(member))
        for section in elf.iter_sections():
            if section.name.startswith(_STARTUP):
                yield f"section {section.name}"
            if isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    exported = symbol["st_info"]["bind"] != "STB_LOCAL"
                    defined = symbol["st_shndx"] != "SHN_UNDEF"
                    visible = symbol["st_other"]["visibility"] in ("STV_DEFAULT", "STV_PROTECTED")
                    foreign = not symbol.name.startswith(_MANGLED) or _ALLOCATOR in symbol.name
                    if exported and defined and visible and foreign and symbol.name:
                        yield f"symbol {symbol.name}"
    except ELFError as error:
        yield f"unreadable object ({error})"


def _members(archive: bytes) -> Iterator[bytes]:
    """The members of an `ar` archive (60-byte headers, even alignment)."""
    position = 8
    while position + 60 <= len(archive):
        size = int(archive[position + 48 : position + 58])
        start = position + 60
        yield archive[start : start + size]
        position = start + size + size % 2
