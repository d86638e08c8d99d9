"""Every setting of an evaluation, once: its name, its default, its rule, and who may set it.

All of them can be set on the command line, by `option`; those with a `variable` in the
environment, too. `bash eval_setup.sh` takes the same variables; where it has a default of its own,
a test compares it with the one here. Switches, which are off unless they are given, stand with the
commands that have them, and the engines' names with the engines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sigil_eval.errors import UsageError, did_you_mean, quoted

PromptMode = Literal["auto", "chat", "completion"]
Dtype = Literal["auto", "bfloat16", "float16", "float32"]
Attention = Literal["auto", "sdpa", "flash_attention_2"]
Quantization = Literal["none", "nf4"]
SandboxMode = Literal["firejail", "none"]
ClippyMode = Literal["off", "advisory", "required"]
Column = Literal["published", "errata", "plus"]


@dataclass(frozen=True)
class Rule:
    """What a value must be, in words that follow its option, and the test of it."""

    words: str
    holds: Callable[[Any], bool]


ANYTHING = Rule("", lambda _: True)
NOT_NEGATIVE = Rule("must not be negative", lambda value: 0 <= value < math.inf)
AT_LEAST_ONE = Rule("must be at least 1", lambda value: value >= 1)


@dataclass(frozen=True)
class Setting[T]:
    """Something that a person may choose.

    `name` is what the code and the record call it. `read` makes a value of a text, and raises
    ValueError with the reason where it cannot. `spelling` is the option where it is not the name,
    and `aliases` are what it was called elsewhere, which is still accepted.
    """

    name: str
    default: T
    read: Callable[[str], Any]
    rule: Rule = ANYTHING
    variable: str | None = None
    spelling: str | None = None
    choices: Sequence[str] = ()
    aliases: Sequence[str] = ()

    @property
    def option(self) -> str:
        """As the command line has it."""
        return self.spelling or f"--{self.name.replace('_', '-')}"

    def complaint(self, value: object) -> str:
        """What the value must be and is not; empty for one that will do."""
        if self.choices and value not in self.choices:
            meant = did_you_mean(str(value), self.choices)
            return f"must be one of {', '.join(self.choices)}{meant and '.'}{meant}"
        return "" if self.rule.holds(value) else self.rule.words

    def check(self, value: T) -> None:
        """Raises UsageError for a value that will not do."""
        complaint = self.complaint(value)
        if complaint:
            raise UsageError(f"{self.option} {complaint}")


_WHOLE = re.compile("[+-]?[0-9]{1,18}")


def whole(text: str) -> int:
    """A whole number."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a whole number")
    return int(text)


def number(text: str) -> float:
    """A number, with a point where it has a fraction."""
    try:
        if text.isascii() and "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise ValueError(f"{quoted(text)} is not a number")


def word_list(text: str) -> tuple[str, ...]:
    """Words with spaces or commas between; each counts once."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def k_list(text: str) -> tuple[int, ...]:
    """`1,10,100` as k values."""
    parts = [part.strip(" ") for part in text.split(",")]
    if not all(map(_WHOLE.fullmatch, parts)):
        raise ValueError(f"{quoted(text)} is not a list of whole numbers like 1,10,100")
    return checked_k_values(map(int, parts))


def checked_k_values(values: Iterable[int]) -> tuple[int, ...]:
    """The k of pass@k, ascending and each once. Raises UsageError for none, and for one below 1."""
    ks = tuple(sorted(set(values)))
    if not ks:
        raise UsageError("no k values were given; ask for at least one, as in 1,10,100")
    if ks[0] < 1:
        raise UsageError(f"k must be at least 1, not {ks[0]}")
    return ks


def k_above(k_values: Iterable[int], samples: int) -> int | None:
    """The first k that so few samples of a problem give no score for; None where there is none."""
    return next((k for k in k_values if k > samples), None)


# The models.
BASE_MODEL = Setting(
    "base_model", "meta-llama/Meta-Llama-3.1-8B-Instruct", str, variable="BASE_MODEL"
)
CHECKPOINT_PATH = Setting(
    "checkpoint_path",
    "Superuser666-Sigil/Llama-3.1-8B-Instruct-Rust-QLora/checkpoint-9000",
    str,
    variable="CHECKPOINT_PATH",
    aliases=("--checkpoint",),
)

# How samples are drawn.
NUM_SAMPLES = Setting(
    "num_samples", 100, whole, AT_LEAST_ONE, "NUM_SAMPLES", aliases=("--samples",)
)
TEMPERATURE = Setting(
    "temperature",
    0.2,
    number,
    Rule("must not be negative (0 is greedy)", NOT_NEGATIVE.holds),
)
TOP_P = Setting(
    "top_p",
    0.95,
    number,
    Rule("must be above 0 and at most 1 (1 turns it off)", lambda value: 0 < value <= 1),
)
TOP_K = Setting(
    "top_k", 50, whole, Rule("must not be negative (0 turns it off)", NOT_NEGATIVE.holds)
)
MAX_NEW_TOKENS = Setting("max_new_tokens", 512, whole, AT_LEAST_ONE)
SEED = Setting("seed", 1234, whole, variable="SEED")
PROMPT_MODE: Setting[PromptMode] = Setting("prompt_mode", "auto", str, choices=get_args(PromptMode))

# What draws them.
ENGINE = Setting("engine", "auto", str)
BATCH_SIZE = Setting[int | None]("batch_size", None, whole, AT_LEAST_ONE)
DEVICE = Setting("device", "auto", str)
DTYPE: Setting[Dtype] = Setting("dtype", "auto", str, choices=get_args(Dtype))
ATTENTION: Setting[Attention] = Setting("attention", "auto", str, choices=get_args(Attention))
QUANTIZATION: Setting[Quantization] = Setting(
    "quantization", "none", str, choices=get_args(Quantization), spelling="--quantize"
)
BASE_URL = Setting[str | None]("base_url", None, str, variable="OPENAI_BASE_URL")

# How they are judged and scored.
PROBLEM_SET = Setting("problem_set", "humaneval-rust", str)
# Without it, that of the problem set: errata, or plus of humaneval-rust-plus.
HEADLINE = Setting[Column | None](
    "headline", None, str, variable="HEADLINE", choices=get_args(Column)
)
N_WORKERS = Setting[int | None]("n_workers", None, whole, AT_LEAST_ONE)
TIMEOUT = Setting(
    "timeout",
    10.0,
    number,
    Rule("must be above 0 and at most 86400, a day", lambda value: 0 < value <= 86_400),
)
SANDBOX_MODE: Setting[SandboxMode] = Setting(
    "sandbox_mode", "firejail", str, choices=get_args(SandboxMode), variable="SANDBOX_MODE"
)
CLIPPY: Setting[ClippyMode] = Setting("clippy", "off", str, choices=get_args(ClippyMode))
K_VALUES = Setting[tuple[int, ...]](
    "k_values", (1, 10, 100), k_list, variable="K_VALUES", aliases=("--k",)
)
# Of files that are scored by themselves; without it, those of K_VALUES that their samples reach.
K_OF_FILES = Setting[tuple[int, ...] | None]("k_values", None, k_list, aliases=K_VALUES.aliases)

# What a run may depart from, where it goes, and what it costs in US dollars.
ACCEPTED_DEVIATIONS = Setting[tuple[str, ...]](
    "accepted_deviations", (), word_list, variable="ACCEPTED_DEVIATIONS"
)
OUTPUT_DIR = Setting("output_dir", Path("humaneval_results"), Path, variable="OUTPUT_DIR")
PRICE_PER_HOUR = Setting[float | None](
    "price_per_hour", None, number, NOT_NEGATIVE, "PRICE_PER_HOUR"
)

# How many rows of training data may be left out because they are too long.
MOST_TOO_LONG = Setting(
    "most_too_long",
    0.01,
    number,
    Rule("must be a share from 0 to 1", lambda value: 0 <= value <= 1),
    "MOST_TOO_LONG",
)

# Which share of crates training data made of them keep for validation.
VAL_SHARE = Setting(
    "val_share",
    0.1,
    number,
    Rule("must be a share from 0 to less than 1", lambda value: 0 <= value < 1),
    "VAL_SHARE",
)

# The model that writes what code itself does not give, and the server that has it.
WRITER_URL = Setting[str | None]("writer_url", None, str)
WRITER_MODEL = Setting[str | None]("writer_model", None, str)
WRITER_TEMPERATURE = Setting("writer_temperature", 0.7, number, TEMPERATURE.rule)

# How many results of a finished run are judged again.
RESCORED = Setting("num_samples", 100, whole, NOT_NEGATIVE, aliases=NUM_SAMPLES.aliases)
