"""The `sigil-eval` command: a file a command, each importing heavy libraries when it runs."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sigil_eval import __version__
from sigil_eval.cli.command import Commands, help_without_command
from sigil_eval.cli.compare import compare
from sigil_eval.cli.dataset import dataset
from sigil_eval.cli.endings import in_words, say_error, say_interrupted, say_refusal
from sigil_eval.cli.env import env
from sigil_eval.cli.export import export
from sigil_eval.cli.extract import extract
from sigil_eval.cli.generate import generate
from sigil_eval.cli.loop import loop
from sigil_eval.cli.problems import problems
from sigil_eval.cli.report import report
from sigil_eval.cli.reproduce import reproduce
from sigil_eval.cli.run import run
from sigil_eval.cli.sandbox_check import sandbox_check
from sigil_eval.cli.score import score
from sigil_eval.cli.sweep import sweep
from sigil_eval.cli.train import train
from sigil_eval.cli.verify import verify
from sigil_eval.console import close_output, open_streams, speak
from sigil_eval.errors import SigilEvalError

COMMANDS = (
    verify,
    score,
    extract,
    generate,
    run,
    sweep,
    train,
    loop,
    report,
    compare,
    reproduce,
    export,
    problems,
    dataset,
    sandbox_check,
    env,
)


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="sigil-eval", message="%(prog)s %(version)s")
@click.pass_context
def sigil_eval(ctx: click.Context) -> None:
    """Score Rust answers to HumanEval-Rust in a sandbox, compare two models, and say how sure the
    comparison is.

    Options may stand in the environment where their help names a variable.

    \b
    Completion in bash (zsh and fish: zsh_source, fish_source):
      eval "$(_SIGIL_EVAL_COMPLETE=bash_source sigil-eval)"
    """
    help_without_command(ctx)


for command in COMMANDS:
    sigil_eval.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are shown, never as a traceback."""
    open_streams()
    speak()
    try:
        given = None if arguments is None else list(arguments)
        code = int(sigil_eval.main(given, prog_name="sigil-eval", standalone_mode=False) or 0)
        close_output()
    except click.ClickException as error:
        return say_refusal(error)
    except SigilEvalError as error:
        return say_error(str(error), error.exit_code)
    except OSError as error:
        return say_error(*in_words(error))
    except click.Abort:
        return say_interrupted()
    return code
