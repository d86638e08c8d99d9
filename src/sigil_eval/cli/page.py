"""The help of a command as it is set: sections, examples, and no word in two parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

# click breaks lines at hyphens, too: of names and addresses, these are a part.
_HYPHEN, _UNBROKEN = "-", "\u2011"
_BELOW = 4


class Page(click.HelpFormatter):
    """A page of help whose lines end between words."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """See click."""
        super().write_usage(_unbroken(prog), _unbroken(args), prefix)

    def write_text(self, text: str) -> None:
        """See click."""
        super().write_text(_unbroken(text))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """See click. Where a word would not fit beside the names, all stands below them."""
        unbroken = [(_unbroken(name), _unbroken(text)) for name, text in rows]
        longest = max((len(word) for _, text in unbroken for word in text.split()), default=0)
        names = min(col_max, max(len(name) for name, _ in unbroken)) + col_spacing
        fits = longest <= self.width - self.current_indent - names
        super().write_dl(unbroken, col_max if fits else _BELOW, col_spacing)

    def write_lines(self, title: str, lines: Sequence[str]) -> None:
        """A section with lines as they are."""
        with self.section(title):
            for line in lines:
                self.write(f"{'':{self.current_indent}}{line}\n")

    def getvalue(self) -> str:
        """The whole page."""
        return super().getvalue().replace(_UNBROKEN, _HYPHEN)


def _unbroken(text: str) -> str:
    return text.replace(_HYPHEN, _UNBROKEN)
