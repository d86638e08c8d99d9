"""Which engines there are. Importing this is cheap: an engine imports what it draws with when it is
started."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sigil_eval import settings
from sigil_eval.errors import UsageError
from sigil_eval.generation.engines.hf import HF
from sigil_eval.generation.engines.hf_static import HFStatic
from sigil_eval.generation.engines.kind import DrawingOptions, EngineKind
from sigil_eval.generation.engines.openai import OpenAI
from sigil_eval.generation.engines.replay import Replay
from sigil_eval.generation.engines.vllm import VLLM, vllm_is_proved

__all__ = [
    "AUTO",
    "ENGINES",
    "HF",
    "DrawingOptions",
    "EngineKind",
    "EngineOptions",
    "choose_engine",
    "engines_in_words",
]

AUTO = settings.ENGINE.default

ENGINES: dict[str, EngineKind] = {
    kind.name: kind
    for kind in (
        HF(),
        HFStatic(),
        VLLM(),
        OpenAI(),
        Replay(),
    )
}


def engines_in_words() -> str:
    """Each engine and what it is, for the help of `--engine`."""
    named = "; ".join(f"{name}: {kind.summary}" for name, kind in ENGINES.items())
    return f"{AUTO}: vllm on a GPU, where it was set up and proved, else hf; {named}"


def choose_engine(options: DrawingOptions) -> str:
    """What `auto` means: on a GPU vllm, where it can do what is asked and was proved by the set-up,
    and hf everywhere else."""
    if options.batch_invariant:
        return VLLM.name
    for_hf = options.quantization != "none" or not options.merge or options.attention != "auto"
    return HF.name if for_hf or not vllm_is_proved() or not _on_gpu(options) else VLLM.name


def _on_gpu(options: DrawingOptions) -> bool:
    import torch

    return options.device.startswith("cuda") or (
        options.device == "auto" and torch.cuda.is_available()
    )


@dataclass(frozen=True)
class EngineOptions(DrawingOptions):
    """Which engine draws samples, and how."""

    engine: str = HF.name

    def __post_init__(self) -> None:
        """Refuse what does not exist, and what the engine has no use for."""
        if self.engine not in ENGINES:
            raise UsageError(f"unknown engine '{self.engine}'; choose one of {', '.join(ENGINES)}")
        if self.batch_size is not None:
            settings.BATCH_SIZE.check(self.batch_size)
        if self.kind.needs_base_url != (self.base_url is not None):
            named = _those(kind.name for kind in ENGINES.values() if kind.needs_base_url)
            raise UsageError(f"--base-url is for --engine {named}, which needs it")
        self.kind.check(self)
        if self.batch_invariant and not self.kind.can_be_batch_invariant:
            named = _those(kind.name for kind in ENGINES.values() if kind.can_be_batch_invariant)
            raise UsageError(f"--batch-invariant is for --engine {named}, not {self.engine}")
        if not self.kind.loads_weights and (self.quantization != "none" or not self.merge):
            named = _those(kind.name for kind in ENGINES.values() if kind.loads_weights)
            raise UsageError(
                f"--quantize and --unmerged are for --engine {named}, not {self.engine}"
            )

    @property
    def kind(self) -> EngineKind:
        """The engine."""
        return ENGINES[self.engine]


def _those(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
