"""The lines that a reader types to repeat a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import takewhile

from sigil_eval.documents import Metadata
from sigil_eval.generation.engines.vllm import VLLM

PROJECT = "https://github.com/Superuser666-Sigil/SigilDERG-Lambda-Package"
DRIVER = ["python", "scripts/evaluate_humaneval.py"]

# What eval_setup.sh calls the driver with, and the variable that has it do so; without one, it does
# so by itself, or another machine has its own.
SETUP_VARIABLES = {
    "--base-model": "BASE_MODEL",
    "--checkpoint-path": "CHECKPOINT_PATH",
    "--val-share": "VAL_SHARE",
    "--most-too-long": "MOST_TOO_LONG",
    "--writer-url": "WRITER_URL",
    "--writer-model": "WRITER_MODEL",
    "--dataset-check": "DATASET_CHECK",
    "--num-samples": "NUM_SAMPLES",
    "--k-values": "K_VALUES",
    "--headline": "HEADLINE",
    "--seed": "SEED",
    "--sandbox-mode": "SANDBOX_MODE",
    "--price-per-hour": "PRICE_PER_HOUR",
    "--accepted-deviations": "ACCEPTED_DEVIATIONS",
    "--engine": "ENGINE",
    "--batch-size": "BATCH_SIZE",
    "--n-workers": "N_WORKERS",
    "--output-dir": None,
    "--provision-state": None,
}
SETUP_SWITCHES = {
    "--demo": None,
    "--strict": None,
    "--no-strict": "SKIP_ENV_CHECK=1",
    "--allow-no-sandbox": "ALLOW_NO_SANDBOX=1",
}
# The recorded variables that stand for an option which was not typed.
_SETTINGS = (
    "ACCEPTED_DEVIATIONS",
    "BASE_MODEL",
    "CHECKPOINT_PATH",
    "HEADLINE",
    "K_VALUES",
    "NUM_SAMPLES",
    "SANDBOX_MODE",
    "SEED",
)
_OF_THE_MACHINE = ("--output-dir", "--provision-state")


def reproduce_command(metadata: Metadata) -> str:
    """Shell lines that repeat the run that `metadata` describes, on a machine that has nothing."""
    lines = [f"git clone {PROJECT}.git", f"cd {PROJECT.rsplit('/', 1)[-1]}"]
    git = metadata.get("git")
    if git is None:
        lines.append("# which commit it was is not on record")
    else:
        if git["dirty"]:
            lines.append("# there were changes besides that were not committed")
        lines.append(f"git checkout {git['commit']}")
    command = metadata.get("command") or []
    by_setup = _by_setup(metadata, command)
    lines += [by_setup] if by_setup else _by_hand(metadata, command)
    return "\n".join(lines)


def _by_setup(metadata: Metadata, command: Sequence[str]) -> str | None:
    """As eval_setup.sh runs it; None for what that has no variable for."""
    if list(command[: len(DRIVER)]) != DRIVER:
        return None
    options = ["--demo"] * ("--demo" in command)
    settings = _recorded(metadata, ["PYTHON_VERSION"])
    if any(model.get("engine") == VLLM.name for model in metadata["models"].values()):
        settings.append("WITH_VLLM=1")
    given = command[len(DRIVER) :]
    if list(given[:1]) == ["sweep"]:
        swept = list(takewhile(lambda word: not word.startswith("--"), given[1:]))
        settings.append(f"CHECKPOINTS={shlex.quote(' '.join(swept))}")
        given = given[1 + len(swept) :]
    elif list(given[:1]) == ["loop"]:
        options.append("--loop")
        settings += [f"CRATES={shlex.quote(given[1])}", f"TRAIN_CONFIG={shlex.quote(given[2])}"]
        given = given[3:]
    words = iter(given)
    for word in words:
        option, equals, value = word.partition("=")
        if option in SETUP_VARIABLES:
            value = value if equals else next(words, "")
            if variable := SETUP_VARIABLES[option]:
                settings.append(f"{variable}={shlex.quote(value)}")
        elif word not in SETUP_SWITCHES:
            return None
        elif (switch := SETUP_SWITCHES[word]) and "--demo" not in options:
            settings.append(switch)
    return " ".join([*settings, "bash eval_setup.sh", *options])


def _by_hand(metadata: Metadata, command: Sequence[str]) -> Iterator[str]:
    """As somebody typed it, once there is what it needs."""
    yield "# the compiler, the sandbox, the packages, and the command sigil-eval"
    yield "bash eval_setup.sh --demo"
    words = shlex.join(_without(command, _OF_THE_MACHINE))
    sources = (metadata.get("arguments") or {}).get("samples")
    if isinstance(sources, list):  # files that were scored, which the results have
        yield "# the folder of these results, wherever it is now"
        yield "RESULTS=/path/to/results"
        kept = [word for word in command if word not in sources]
        words = shlex.join(_without(kept, (*_OF_THE_MACHINE, "--name")))
        for label, model in metadata["models"].items():
            words += f' "$RESULTS"/samples/{label}.jsonl --name {shlex.quote(model["name"])}'
    yield " ".join([*_recorded(metadata, _SETTINGS), words])


def _recorded(metadata: Metadata, names: Sequence[str]) -> list[str]:
    """Variables as one sets them for a command."""
    known = metadata.get("environment") or {}
    return [f"{name}={shlex.quote(known[name])}" for name in names if name in known]


def _without(command: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """The words of a command without some options and their values."""
    words = iter(command)
    for word in words:
        if word in options:
            next(words, None)
        elif word.partition("=")[0] not in options:
            yield word
