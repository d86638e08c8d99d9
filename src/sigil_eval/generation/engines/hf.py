"""The hf engine, the default: continuous batching (`generation.continuous`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sigil_eval.generation.engines.local import LocalEngine

if TYPE_CHECKING:
    from sigil_eval.generation.continuous import HFEngine


class HF(LocalEngine):
    """Continuous batching of a transformers model over a cache of slots."""

    name = "hf"
    summary = "continuous batching"

    def engine_class(self) -> type[HFEngine]:
        """The loop over slots."""
        from sigil_eval.generation.continuous import HFEngine

        return HFEngine
