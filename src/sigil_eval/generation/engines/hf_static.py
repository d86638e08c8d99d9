"""The hf-static engine, the oracle: transformers' plain generate() (`generation.static`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sigil_eval.generation.engines.local import LocalEngine

if TYPE_CHECKING:
    from sigil_eval.generation.static import HFStaticEngine


class HFStatic(LocalEngine):
    """Plain `generate()` on fixed batches, to compare every faster engine with."""

    name = "hf-static"
    summary = "plain generate(), to compare with"

    def engine_class(self) -> type[HFStaticEngine]:
        """The loop over batches."""
        from sigil_eval.generation.static import HFStaticEngine

        return HFStaticEngine
