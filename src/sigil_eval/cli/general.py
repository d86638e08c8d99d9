"""The options that every command has: how it speaks, and a file of further options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from sigil_eval.cli.config_file import read_config
from sigil_eval.cli.option import Option
from sigil_eval.console import detail, is_verbose, speak
from sigil_eval.errors import UsageError
from sigil_eval.redaction import scrub

_SECTION: dict[str, Any] = {"section": "General", "recorded": False}
_FILE, _FROM_FILE = "sigil_eval.config", "sigil_eval.from_config"
_SOURCES = {
    ParameterSource.COMMANDLINE: "as typed",
    ParameterSource.ENVIRONMENT: "from the environment",
    ParameterSource.DEFAULT_MAP: "from the file of --config",
}


class _ConfigOption(Option):
    """The options of a file count where nobody has typed them, or set their variables."""

    def handle_parse_result(self, ctx: click.Context, opts: Any, args: list[str]) -> Any:
        """Read the file; what is typed instead of something in it counts alone."""
        path, rest = super().handle_parse_result(ctx, opts, args)
        if isinstance(path, Path) and not ctx.resilient_parsing:
            found = read_config(path, ctx)
            by_name = {param.name: param for param in ctx.command.params}
            replaced = {
                other for name in opts for other in getattr(by_name.get(name), "instead_of", ())
            }
            kept = {name: given for name, given in found.items() if name not in replaced}
            ctx.default_map = {name: given.value for name, given in kept.items()}
            ctx.meta[_FILE], ctx.meta[_FROM_FILE] = path, kept
        return path, rest


def general_options() -> list[click.Parameter]:
    """They stand at the end of a command's help."""
    return [
        Option(["--json", "as_json"], is_flag=True, help="results as JSON", **_SECTION),
        Option(
            ["-q", "--quiet"],
            is_flag=True,
            instead_of=["verbose"],
            help="only results, warnings and errors",
            **_SECTION,
        ),
        Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="more: which values were given, and where, and where an error arose",
            **_SECTION,
        ),
        _ConfigOption(
            ["--config"],
            type=click.Path(path_type=Path),
            is_eager=True,
            metavar="FILE.toml",
            help="a file of options, `num-samples = 20`; in a table, `[run]`, for that command "
            "alone. What is typed or in the environment comes first",
            **_SECTION,
        ),
    ]


def speak_as_asked(ctx: click.Context) -> None:
    """Have the program speak as these options say, and take them from those of the command."""
    ctx.params.pop("config")
    speak(**{name: ctx.params.pop(name) for name in ("quiet", "verbose", "as_json")})
    if is_verbose():
        for line in _values(ctx):
            detail(line)


def _values(ctx: click.Context) -> Iterator[str]:
    """Each option that was given, with its value and where that comes from."""
    for name, value in ctx.params.items():
        source = ctx.get_parameter_source(name)
        if source in _SOURCES:
            yield f"{name} = {scrub(str(value), name)}, {_SOURCES[source]}"
    yield "all else is by default"


def words_from_file(ctx: click.Context) -> list[str]:
    """What the file of --config has come to, as one would type it."""
    return [
        word
        for name, given in ctx.meta.get(_FROM_FILE, {}).items()
        if _is_from_file(ctx, name)
        for word in given.words
    ]


def refused_in_file(ctx: click.Context, error: click.BadParameter) -> UsageError | None:
    """The refusal of a value, where it is one of the file's."""
    name = error.param.name if error.param else None
    if name is None or not _is_from_file(ctx, name):
        return None
    return UsageError(f"{ctx.meta[_FILE]}: {ctx.meta[_FROM_FILE][name].key}: {error.message}")


def _is_from_file(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP
