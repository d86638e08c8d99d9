"""The hostile programs in `hostile/`: answers that attack the judge, with what must become of them.

A program is a `.rs` file that begins with a header of `//! key: value` lines:

    task      the problem it answers (wrongly, so that any pass is a false pass)
    phase     compile or run: where it attacks
    verdict   the error types that are right for it, separated by |
    policy    a category that policy must find in it, if any
    flagged   yes: it must be flagged as using unsafe code
    control   what it does without a sandbox, which shows that the attack is real: `mark` leaves
              the file MARK, `compiles` gets through the compiler
    note      what it tries

`@repeat(N, "text")@` stands for N copies of a text, in which `@i@` is the copy's number.
`@CANARY@` is a file of the host, `@MARK@` a file that must not come to be, `@PORT@` a port of the
host that takes connections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "hostile"
_REPEAT = re.compile(r'@repeat\((\d+), "((?:[^"\\]|\\.)*)"\)@')


@dataclass(frozen=True)
class Hostile:
    """One hostile answer, ready to be judged."""

    name: str
    task_id: str
    phase: str
    verdicts: frozenset[str]
    policy: str | None
    flagged: bool
    control: str | None
    source: str

    def mark(self, folder: Path) -> Path:
        """The file that this program leaves in `folder` if it gets out."""
        return folder / self.name


def load(*, canary: Path, marks: Path, port: int) -> tuple[Hostile, ...]:
    """The whole corpus, with host paths and port filled in."""
    return tuple(_read(path, canary, marks, port) for path in sorted(FOLDER.glob("*.rs")))


def _read(path: Path, canary: Path, marks: Path, port: int) -> Hostile:
    head, _, source = path.read_text(encoding="utf-8").partition("\n\n")
    lines = (line.removeprefix("//! ").partition(": ") for line in head.splitlines())
    header = {key: value for key, _, value in lines}
    places = {"@CANARY@": str(canary), "@MARK@": str(marks / path.stem), "@PORT@": str(port)}
    for name, value in places.items():
        source = source.replace(name, value)
    return Hostile(
        path.stem,
        header["task"],
        header["phase"],
        frozenset(header["verdict"].split("|")),
        header.get("policy"),
        header.get("flagged") == "yes",
        header.get("control"),
        _REPEAT.sub(_copies, source),
    )


def _copies(match: re.Match[str]) -> str:
    text = match.group(2).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
    return "".join(text.replace("@i@", str(number)) for number in range(int(match.group(1))))
