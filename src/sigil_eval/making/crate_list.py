"""The list of crates: `name@version`, one a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import lines_in, open_file

# What sigil-pipeline takes for a name; a version is a whole one, for else it would not be pinned.
_CRATE = re.compile(
    r"(?P<name>[a-z0-9_][a-z0-9_-]{0,63})@(?P<version>\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)"
)


class Crate(NamedTuple):
    """A crate at a version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def read_crates(path: Path) -> list[Crate]:
    """The crates of a list; blank lines and what stands behind `#` are nothing.

    Raises UsageError with file, line and reason.
    """
    found: dict[Crate, int] = {}
    try:
        with open_file(path) as stream:
            for number, line in lines_in(stream, path):
                text = line.partition(b"#")[0].strip().decode("utf-8", "replace")
                if text:
                    crate = _crate(text, f"{path}:{number}")
                    if crate in found:
                        raise UsageError(f"{path}:{number}: {crate} is in line {found[crate]}, too")
                    found[crate] = number
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if not found:
        raise UsageError(f"{path}: names no crates; write them as name@version, one a line")
    return [*found]


def _crate(text: str, place: str) -> Crate:
    match = _CRATE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{place}: {quoted(text)} is no crate at a version; write it as name@1.2.3, the name "
            "in lower case, which is all that sigil-pipeline fetches"
        )
    return Crate(match["name"], match["version"])
