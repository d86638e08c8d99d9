"""The commands, on top of click: what their help looks like and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource

from sigil_eval.cli.endings import EXIT_CODES
from sigil_eval.cli.general import general_options, refused_in_file, speak_as_asked
from sigil_eval.cli.page import Page
from sigil_eval.console import sending, write_out
from sigil_eval.errors import PreflightError

_LOOK = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Context(click.Context):
    formatter_class = Page


class Commands(click.Group):
    """Several commands under one name."""

    context_class = _Context

    def __init__(self, name: str | None, **more: Any) -> None:
        super().__init__(
            name,
            context_settings=_LOOK,
            epilog=EXIT_CODES,
            invoke_without_command=True,
            **more,
        )

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


def help_without_command(ctx: click.Context) -> None:
    """What a group of commands does by itself."""
    if ctx.invoked_subcommand is None:
        write_out(ctx.get_help() + "\n")


class Command(click.Command):
    """A command with the general options, whose help has examples, sections, defaults and
    environment variables beside the options, and the exit codes at its end.

    Its function returns the exit code. What it came to it prints by `say`, and gives to
    `console.answer` for --json; whatever else it says is for `console.mention`.
    """

    context_class = _Context

    def __init__(
        self,
        name: str | None,
        *,
        examples: Sequence[str],
        params: Sequence[click.Parameter] = (),
        **more: Any,
    ) -> None:
        self.examples = tuple(examples)
        super().__init__(
            name,
            context_settings=_LOOK,
            epilog=EXIT_CODES,
            params=[*params, *general_options()],
            **more,
        )

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """See `Commands.make_context`."""
        with sending():
            return super().make_context(*args, **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse two options of which one is instead of the other."""
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            shown = [name for param in self.params for name in _shown_names(param)]
            raise click.NoSuchOption(error.option_name, possibilities=shown, ctx=ctx) from None
        except click.BadParameter as error:
            raise refused_in_file(ctx, error) or error from None
        by_name = {param.name: param for param in self.params if _was_typed(ctx, param)}
        for param in by_name.values():
            for other in map(by_name.get, getattr(param, "instead_of", ())):
                if other is not None:
                    raise click.UsageError(
                        f"{param.opts[0]} and {other.opts[0]} cannot be given together", ctx
                    )
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, with a word as it was asked for."""
        speak_as_asked(ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, and the options by section."""
        if isinstance(formatter, Page):
            formatter.write_lines("Examples", self.examples)
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, click.Option) and record is not None:
                sections.setdefault(getattr(param, "section", "General"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def _was_typed(ctx: click.Context, param: click.Parameter) -> bool:
    return ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE


def _shown_names(param: click.Parameter) -> list[str]:
    hidden = isinstance(param, click.Option) and param.hidden
    return [] if hidden else [*param.opts, *param.secondary_opts]
