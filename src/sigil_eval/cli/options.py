"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sigil_eval import settings
from sigil_eval.cli.option import Option, SettingType
from sigil_eval.run_folder import MODES, Mode
from sigil_eval.settings import Setting

type Decorator = Callable[[Callable[..., int]], Callable[..., int]]

PATH = click.Path(path_type=Path)


def option(
    setting: Setting[Any], help_: str = "", *, section: str = "Options", **more: Any
) -> Decorator:
    """The option of a setting, with its default, its rule and its variable."""
    return click.option(
        setting.option,
        setting.name,
        cls=more.pop("cls", Option),
        section=section,
        type=more.pop("type", SettingType(setting)),
        default=setting.default,
        envvar=setting.variable,
        show_default=setting.default not in (None, ()),
        show_envvar=True,
        help=help_,
        aliases=setting.aliases,
        **more,
    )


def switch(*spellings: str, help: str = "", section: str = "Options", **more: Any) -> Decorator:
    """An option without a value."""
    return click.option(*spellings, cls=Option, is_flag=True, section=section, help=help, **more)


def together(*decorators: Decorator) -> Decorator:
    """Several options at once, which the help shows in this order."""

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class _ProblemSetType(SettingType):
    """The names of the sets that come with this package, asked for when they are wanted."""

    @property
    def setting(self) -> Setting[Any]:
        from sigil_eval.problems import pinned_names

        return replace(super().setting, choices=pinned_names())


class _ProblemSetOption(Option):
    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from sigil_eval.problems import known_sets

        shown = copy(self)
        shown.help = f"{known_sets()}  {self.help}".rstrip()
        return super(_ProblemSetOption, shown).get_help_record(ctx)


def problem_options(section: str = "Options", *, recorded: bool = False) -> Decorator:
    """The problems, by the name of a set or by a file: those that a run has `recorded`, or else
    the first set."""
    setting: Setting[Any] = settings.PROBLEM_SET
    setting = replace(setting, default=None) if recorded else setting
    of_run = "[default: the set that the run names]" if recorded else ""
    return together(
        option(
            setting,
            of_run,
            cls=_ProblemSetOption,
            type=_ProblemSetType(setting),
            metavar="NAME",
            section=section,
            instead_of=["problem_file"],
        ),
        click.option(
            "--problem-file",
            cls=Option,
            type=PATH,
            metavar="FILE",
            section=section,
            help="JSONL problems of your own, judged as they are (docs/problem-sets.md)",
            instead_of=["problem_set"],
        ),
    )


def workers_option(section: str = "Options") -> Decorator:
    """How many programs are judged at a time."""
    return option(
        settings.N_WORKERS,
        "programs judged at a time  [default: by the number of cores]",
        metavar="N",
        section=section,
    )


def ray_option(help_: str, section: str = "Options") -> Decorator:
    """On which cluster the work is done."""
    return click.option(
        "--ray",
        cls=Option,
        metavar="ADDRESS",
        section=section,
        recorded=False,
        help=f"{help_} on the nodes of a Ray cluster: HOST:PORT, `auto` on one of its nodes, or "
        "`local`, a cluster of this machine alone (docs/scaling.md)",
    )


def judge_options(section: str = "Options") -> Decorator:
    """How programs are judged."""
    return together(
        workers_option(section),
        option(
            settings.TIMEOUT,
            "processor time for each compile and each run",
            metavar="SECONDS",
            section=section,
        ),
        option(
            settings.SANDBOX_MODE,
            "`none` runs a model's code on this machine as it is",
            section=section,
        ),
        switch(
            "--allow-no-sandbox",
            help="accept the risk of --sandbox-mode none without being asked",
            section=section,
        ),
    )


def prove_again_switch(section: str = "Options") -> Decorator:
    """Whether the judge is proved though it was not long ago."""
    return switch(
        "--prove-again",
        help="prove the judge anew, though the same one was proved within a day",
        section=section,
    )


def headline_option(section: str = "Options") -> Decorator:
    """Which column of scores stands at the head of the reports."""
    return option(
        settings.HEADLINE,
        "the tests whose score stands at the head: as published, with errata, or with errata and "
        "plus cases; the others stand beside it  [default: errata where there are any]",
        section=section,
    )


def clippy_option(section: str = "Options") -> Decorator:
    """Whether what compiles is linted."""
    return option(
        settings.CLIPPY,
        "lint what compiles, in the sandbox: `advisory` only reports it, with `required` a "
        "program with lints does not pass",
        section=section,
    )


def dataset_check_option(help_: str = "", section: str = "Options") -> Decorator:
    """What is known of the training data."""
    return click.option(
        "--dataset-check",
        cls=Option,
        type=PATH,
        metavar="FILE.json",
        section=section,
        help="what `sigil-eval dataset check --output` has found in the training data: scores on "
        f"the problems in it are then given apart{help_}",
    )


class ModeSwitch(Option):
    """A switch that sets `modes`, the policy modes to score in."""

    sets = "modes"

    def __init__(self, *args: Any, modes: tuple[Mode, ...], **more: Any) -> None:
        self.modes = modes
        super().__init__(*args, is_flag=True, expose_value=False, callback=self._set, **more)

    def _set(self, ctx: click.Context, _param: click.Parameter, given: bool) -> None:
        if given:
            ctx.params["modes"] = self.modes
        else:  # what was typed comes first
            ctx.params.setdefault("modes", MODES)


def mode_switches(section: str = "Options") -> Decorator:
    """Switches for the policy modes, of which one can be given; without one, both are scored in."""
    switches: list[tuple[str, tuple[Mode, ...], dict[str, Any]]] = [
        (
            "policy_only",
            ("policy",),
            {"help": "with the safety policy alone", "aliases": ["--enforce-policy"]},
        ),
        (
            "no_policy_only",
            ("no-policy",),
            {"help": "without it alone: pure HumanEval", "aliases": ["--no-enforce-policy"]},
        ),
        ("both_policies", MODES, {"hidden": True}),
    ]
    names = [name for name, _, _ in switches]
    return together(
        *(
            click.option(
                f"--{name.replace('_', '-')}",
                name,
                cls=ModeSwitch,
                modes=modes,
                section=section,
                instead_of=[other for other in names if other != name],
                **more,
            )
            for name, modes, more in switches
        )
    )


class _EngineType(SettingType):
    """The engines' names. They are asked of the engines when they are wanted: that takes a while,
    and most commands draw nothing."""

    @property
    def setting(self) -> Setting[Any]:
        from sigil_eval.generation.engines import AUTO, ENGINES

        return replace(super().setting, choices=(AUTO, *ENGINES))


class _EngineOption(Option):
    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from sigil_eval.generation.engines import engines_in_words

        self.help = engines_in_words()
        return super().get_help_record(ctx)


def sampling_options() -> Decorator:
    """How samples are drawn."""
    section = "Sampling"
    return together(
        option(settings.NUM_SAMPLES, "answers per problem", metavar="N", section=section),
        option(settings.TEMPERATURE, "0 is greedy", metavar="T", section=section),
        option(settings.TOP_P, "1 turns it off", metavar="P", section=section),
        option(settings.TOP_K, "0 turns it off", metavar="K", section=section),
        option(
            settings.MAX_NEW_TOKENS, "tokens of an answer at most", metavar="N", section=section
        ),
        option(settings.SEED, "the same seed gives the same samples", metavar="N", section=section),
        option(
            settings.PROMPT_MODE,
            "auto: a chat prompt where the tokenizer has a chat template",
            section=section,
        ),
    )


def engine_options() -> Decorator:
    """What draws samples, on what, and which files of a model it may read."""
    return together(_hardware_options(), _model_options(), _trust_options())


def _hardware_options(section: str = "Engine") -> Decorator:
    return together(
        click.option(
            settings.ENGINE.option,
            cls=_EngineOption,
            type=_EngineType(settings.ENGINE),
            default=settings.ENGINE.default,
            show_default=True,
            section=section,
        ),
        option(
            settings.BATCH_SIZE,
            "answers under way at a time  [default: what fits]",
            metavar="N",
            section=section,
        ),
        option(
            settings.DEVICE,
            "auto, cpu, cuda or cuda:N, or several with commas between, each with a process of "
            "its own; auto is every GPU there is",
            metavar="DEVICE",
            section=section,
        ),
        option(settings.DTYPE, "precision; auto: bfloat16 on a GPU", section=section),
        option(settings.ATTENTION, "auto: flash attention where it works", section=section),
    )


def _model_options(section: str = "Engine") -> Decorator:
    return together(
        option(
            settings.QUANTIZATION,
            "load base models in 4 bits, with adapters beside them",
            section=section,
        ),
        switch(
            "--unmerged",
            "merge",
            flag_value=False,
            default=True,
            help="apply an adapter beside the base's weights instead of merging it: slower",
            section=section,
        ),
        switch(
            "--batch-invariant",
            help="the same bits whatever is computed along with it, so that the same GPU draws the "
            "same samples again; for --engine vllm, on a GPU: slower",
            section=section,
        ),
        option(
            settings.BASE_URL,
            "the server of --engine openai; its token is read from OPENAI_API_KEY",
            metavar="URL",
            section=section,
        ),
    )


def _trust_options(section: str = "Engine") -> Decorator:
    revision: dict[str, Any] = {"cls": Option, "metavar": "REVISION", "section": section}
    return together(
        switch(
            "--allow-pickle",
            help="accept weights that can run code when they are read, where no others are",
            section=section,
        ),
        switch("--trust-remote-code", help="run Python that comes with a model", section=section),
        click.option("--base-revision", help="branch, tag or commit", **revision),
        click.option("--checkpoint-revision", help="branch, tag or commit", **revision),
    )


def price_option(help_: str, section: str = "Options") -> Decorator:
    """What an hour of a GPU costs."""
    return option(settings.PRICE_PER_HOUR, help_, metavar="USD", section=section)
