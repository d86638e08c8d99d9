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
from sigil_eval.generation.engines.vllm import VLLM

__all__ = ["ENGINES", "DrawingOptions", "EngineKind", "EngineOptions", "engines_in_words"]

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
    return "; ".join(f"{name}: {kind.summary}" for name, kind in ENGINES.items())


@dataclass(frozen=True)
class EngineOptions(DrawingOptions):
    """Which engine draws samples, and how."""

    engine: str = settings.ENGINE.default

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
