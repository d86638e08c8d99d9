"""What the engines have in common that load a model's weights into this process."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sigil_eval.generation.engines.kind import DrawingOptions, EngineKind
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.pool import ModelPool
from sigil_eval.generation.prepared import Prepared, prepare_model
from sigil_eval.generation.protocol import Engine, EngineInfo, ModelSpec, SamplingParams

if TYPE_CHECKING:
    from sigil_eval.generation.continuous import HFEngine
    from sigil_eval.generation.static import HFStaticEngine

# Answers under way at a time, by kind of device.
LARGEST_BATCH = {"cpu": 64, "cuda": 512}


class LocalEngine(EngineKind):
    """A transformers model on devices of this machine; `engine_class` is what draws from it."""

    loads_weights = True
    needs_model_files = True
    keyed = True

    @abstractmethod
    def engine_class(self) -> type[HFEngine] | type[HFStaticEngine]:
        """The loop that draws; importing it imports torch."""

    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        """See `prepare_model`."""
        return prepare_model(spec, prompt_mode)

    def describe(self, options: DrawingOptions) -> EngineInfo:
        """See `choose_hardware`."""
        return hardware_for(options)

    def model_pool(self, *, keep_base: bool = False) -> ModelPool:
        """Models of this process."""
        return ModelPool(keep_base=keep_base)

    @contextlib.contextmanager
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> Iterator[Engine]:
        """Load the model, or borrow it; the device's memory is given back at the end."""
        assert prepared.model is not None
        try:
            loaded = (models or ModelPool()).borrow(prepared.model, info)
            yield self.engine_class()(
                loaded,
                prepared.tokenizer,
                params,
                info,
                batch_size=options.batch_size or largest_batch(info),
                early_stop=options.early_stop,
                special_tokens=prepared.prompt_mode == "completion",
            )
        finally:
            _give_back_memory(info)


def hardware_for(options: DrawingOptions) -> EngineInfo:
    """Device, precision and attention, as far as options say; see `choose_hardware`."""
    return choose_hardware(
        options.device,
        options.dtype,
        options.quantization,
        merge=options.merge,
        attention=options.attention,
    )


def largest_batch(info: EngineInfo) -> int:
    """How many answers may be under way at a time on a device, if memory lets them."""
    return LARGEST_BATCH[info.device.partition(":")[0]]


def _give_back_memory(info: EngineInfo) -> None:
    """Let the driver have what torch keeps of a GPU's memory for later."""
    if info.device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
