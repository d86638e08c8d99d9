"""What the rooms of generation say to each other, free of torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sigil_eval import settings

FinishReason = Literal["stop", "complete", "length"]

ProgressCallback = Callable[[int, int, int], None]
"""Called with samples finished (resumed ones included), samples asked for, new tokens so far."""


@dataclass(frozen=True)
class SamplingParams:
    """How many samples to draw for each problem, and how. Temperature 0 is greedy."""

    num_samples: int = settings.NUM_SAMPLES.default
    temperature: float = settings.TEMPERATURE.default
    top_p: float = settings.TOP_P.default
    top_k: int = settings.TOP_K.default
    max_new_tokens: int = settings.MAX_NEW_TOKENS.default
    seed: int = settings.SEED.default

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        settings.NUM_SAMPLES.check(self.num_samples)
        settings.TEMPERATURE.check(self.temperature)
        settings.TOP_P.check(self.top_p)
        settings.TOP_K.check(self.top_k)
        settings.MAX_NEW_TOKENS.check(self.max_new_tokens)


@dataclass(frozen=True)
class Trust:
    """Which of a model's files may run code of its author's: weights in pickles, and Python
    beside them. Neither, unless somebody asks for it."""

    pickle: bool = False
    remote_code: bool = False


NO_TRUST = Trust()


@dataclass(frozen=True)
class ModelSpec:
    """Which model: a base, or a checkpoint (a PEFT adapter or a whole model) made from it.

    Each is a local folder, a hub id `org/name`, or a folder in a hub repository
    `org/name/folder`. With an adapter, `base` may be None: its config names it.
    A revision is a branch, tag or commit of a hub repository. `prompt_as_base` has a checkpoint
    prompted with its base's tokenizer and template, whatever it brings.
    """

    base: str | None
    checkpoint: str | None = None
    base_revision: str | None = None
    checkpoint_revision: str | None = None
    trust: Trust = NO_TRUST
    prompt_as_base: bool = False

    @property
    def name(self) -> str:
        """What the samples are filed under."""
        return self.checkpoint or self.base or ""


@dataclass(frozen=True)
class Revisions:
    """Exact revisions of what is evaluated: of a base, and of an adapter where there is one."""

    base: str
    adapter: str | None = None

    @property
    def evaluated(self) -> str:
        """The adapter's where there is one."""
        return self.adapter or self.base

    @property
    def identity(self) -> str:
        """The weights by content, whatever they are called: what sampling noise is keyed by."""
        return self.base if self.adapter is None else f"{self.base}+{self.adapter}"


@dataclass(frozen=True)
class Asked:
    """What is asked for: the prompt, the function it begins, and what the tests call."""

    prompt: str
    entry_point: str
    called: frozenset[str]


@dataclass(frozen=True)
class Request:
    """One sample to draw.

    `key` decides all of its randomness; `code_before` is the Rust that the answer continues
    (empty when the answer comes in a fence); `max_new_tokens` is a limit of its own below the
    common one. `asked` tells an answer that has all it needs from one that still lacks something.
    """

    task_id: str
    sample_index: int
    prompt: str
    code_before: str
    key: int
    max_new_tokens: int | None = None
    asked: Asked | None = None


@dataclass(frozen=True)
class Sample:
    """A text that a model wrote. `tokens` counts every token drawn, the end token included."""

    task_id: str
    sample_index: int
    completion: str
    tokens: int
    finish_reason: FinishReason


@dataclass(frozen=True)
class EngineInfo:
    """What an engine runs on, for the record.

    `quantization` is of the base's weights, `adapters` whether an adapter is "merged" into them
    or applied beside them. `batch_invariant`: the same request gives the same bits, whatever it is
    computed along with.
    """

    device: str
    dtype: str
    attention: str
    quantization: str = "none"
    adapters: str = "merged"
    batch_invariant: bool = False


class Engine(Protocol):
    """Draws samples. Requests may be answered in any order; each sample depends on its request
    alone, so the same request gives the same sample whatever it is asked along with."""

    @property
    def info(self) -> EngineInfo:
        """Device, precision and attention in use."""
        ...

    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request, calling `on_sample` as each sample is finished."""
        ...


@dataclass(frozen=True)
class Prompting:
    """Tokenizer and template by their hashes: what a model is prompted with, and what it brings
    itself, None where it brings none or nothing else could have been taken.

    `note` says what a model brings and is not prompted with. All are None where a file or a server
    has the prompts.
    """

    tokenizer_sha256: str | None = None
    own_tokenizer_sha256: str | None = None
    own_template_sha256: str | None = None
    note: str | None = None


NO_PROMPTING = Prompting()


@dataclass(frozen=True)
class GenerationSummary:
    """What a call to `generate_samples` did, in samples, tokens and seconds."""

    samples: int
    new_samples: int
    resumed_samples: int
    tokens: int
    seconds: float
    truncated: int
    model_revision: str
    adapter_revision: str | None
    prompt_mode: str
    prompt_template_sha256: str
    device: str
    dtype: str
    attention: str
    engine: str
    quantization: str
    batch_invariant: bool
    prompting: Prompting
    sampler: int | None
