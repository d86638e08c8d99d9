"""What the commands and their options have in common, on top of click."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from sigil_eval.console import error_console, sending
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.settings import Setting

EXIT_CODES = """\b
Exit codes:
  0  done
  2  the request is wrong (an option, a file, a value)
  3  the machine, the sandbox or the judge's own proof is not fit
  4  incomplete: infrastructure failures left samples without a verdict
  130  interrupted; the same command goes on where it stopped
  141  nobody reads what is printed any more (`| head`); likewise"""
INTERRUPTED = 130
_LONGEST_PATH = 500
_LONGEST_WORD = 300
_LOOK = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """The command line."""

    def __init__(self, name: str | None, **more: Any) -> None:
        super().__init__(name, context_settings=_LOOK, epilog=EXIT_CODES, **more)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Its help is printed here; click would end with a code of its own where that fails."""
        with sending():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a pipe that breaks is none of standard output's, which `sending` knows."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise PreflightError(f"a process that was needed has gone: {error}") from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were added."""
        return list(self.commands)


def in_words(error: OSError) -> tuple[str, int]:
    """What a call of the system's failed at, and the exit code: a path that can be none was asked
    for in error."""
    wrong_request = error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
    code = UsageError.exit_code if wrong_request else PreflightError.exit_code
    place = str(error.filename) if error.filename else ""
    shown = place if len(place) <= _LONGEST_PATH else place[:_LONGEST_PATH] + "…"
    return f"{shown}: {error.strerror or error}".removeprefix(": "), code


def say_error(message: str, code: int) -> int:
    """Show an error; the exit code."""
    error_console.print(f"error: {message}", style="red", markup=False)
    return code


def say_refusal(error: click.ClickException) -> int:
    """Show what click has against the command line; the exit code."""
    said = io.StringIO()
    error.show(said)
    bounded = re.sub(rf"(\S{{{_LONGEST_WORD}}})\S+", r"\1…", said.getvalue().rstrip("\n"))
    error_console.print(bounded, markup=False)
    return error.exit_code


def say_interrupted() -> int:
    """Say how to go on; the exit code."""
    error_console.print("interrupted: run the same command again to go on where it stopped")
    return INTERRUPTED


class Option(click.Option):
    """An option with the section of the help that it stands in, and with the names of those that
    cannot be given beside it."""

    def __init__(
        self, *args: Any, section: str = "Options", instead_of: Sequence[str] = (), **more: Any
    ) -> None:
        self.section = section
        self.instead_of = tuple(instead_of)
        super().__init__(*args, **more)


class Command(click.Command):
    """A command whose help has sections, the exit codes at its end, and defaults and environment
    variables beside the options."""

    def __init__(self, name: str | None, **more: Any) -> None:
        super().__init__(name, context_settings=_LOOK, epilog=EXIT_CODES, **more)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """See `Commands.make_context`."""
        with sending():
            return super().make_context(*args, **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse two options of which one is instead of the other."""
        rest = super().parse_args(ctx, args)
        by_name = {param.name: param for param in self.params if _was_typed(ctx, param)}
        for param in by_name.values():
            for other in map(by_name.get, getattr(param, "instead_of", ())):
                if other is not None:
                    raise click.UsageError(
                        f"{param.opts[0]} and {other.opts[0]} cannot be given together", ctx
                    )
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, click.Option) and record is not None:
                sections.setdefault(getattr(param, "section", "Options"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def _was_typed(ctx: click.Context, param: click.Parameter) -> bool:
    return ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE


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
        if not isinstance(value, str):
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
