"""An option of a command, and a value that a setting has rules for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from sigil_eval.errors import UsageError
from sigil_eval.settings import Setting


class Option(click.Option):
    """An option with the section of the help that it stands in, and the names of those that cannot
    be given beside it.

    `aliases` are names that it had once, or has in other tools: they are accepted, and nothing
    shows them. What a run does not depend on is not `recorded`.
    """

    def __init__(
        self,
        *args: Any,
        section: str = "Options",
        instead_of: Sequence[str] = (),
        aliases: Sequence[str] = (),
        recorded: bool = True,
        **more: Any,
    ) -> None:
        self.section, self.recorded = section, recorded
        self.instead_of, self.aliases = tuple(instead_of), tuple(aliases)
        super().__init__(*args, **more)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Have its aliases accepted, too."""
        shown, self.opts = self.opts, [*self.opts, *self.aliases]
        super().add_to_parser(parser, ctx)
        self.opts = shown


class SettingType(click.ParamType[Any]):
    """A value that is read and checked as its setting says."""

    name = "value"

    def __init__(self, setting: Setting[Any]) -> None:
        self._setting = setting

    @property
    def setting(self) -> Setting[Any]:
        """The setting."""
        return self._setting

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of a text; a default is one already."""
        if not isinstance(value, str) or value == self._setting.default:
            return value
        try:
            read = self.setting.read(value)
        except (ValueError, UsageError) as error:
            self.fail(str(error), param, ctx)
        complaint = self.setting.complaint(read)
        if complaint:
            self.fail(f"{value} {complaint}", param, ctx)
        return read

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """The choices, where there are any."""
        choices = self.setting.choices
        return f"[{'|'.join(choices)}]" if choices else None

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The choices that begin that way, or paths."""
        if self.setting.read is Path:
            return [CompletionItem(incomplete, type="file")]
        return [
            CompletionItem(word) for word in self.setting.choices if word.startswith(incomplete)
        ]
