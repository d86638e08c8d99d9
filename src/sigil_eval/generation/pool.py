"""Models that are loaded, lent to one engine after the other."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.loading import load_base, or_explain
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.protocol import EngineInfo

if TYPE_CHECKING:
    import torch


class ModelPool:
    """Lends models, and loads a base once for all that are made from it in turn.

    With `keep_base`, the weights that merging an adapter changes are kept in the host's memory,
    so that any number of adapters can follow each other on one loaded base.
    """

    def __init__(self, *, keep_base: bool = False) -> None:
        self._keep_base = keep_base
        self._loaded: tuple[tuple[str, EngineInfo], Any] | None = None
        self._wrapped: Any = None
        self._originals: dict[str, torch.Tensor] = {}

    def borrow(self, model: ResolvedModel, info: EngineInfo) -> Any:
        """The model in evaluation mode on its device; what was lent before is no longer valid.

        Raises PreflightError for files that cannot be used.
        """
        base = self._take_base(model.base, info)
        if model.adapter is None:
            return base.eval()
        lent = self._apply(base, model, info)
        return lent.eval()

    def _take_base(self, files: ModelFiles, info: EngineInfo) -> Any:
        """The base without any adapter, loaded unless it is at hand."""
        import torch

        key = (files.revision, info)
        if self._loaded is not None and self._loaded[0] == key:
            base = self._loaded[1]
            if self._wrapped is not None:
                base, self._wrapped = self._wrapped.unload(), None
            with torch.no_grad():
                for name, weight in self._originals.items():
                    base.get_parameter(name).copy_(weight)
        else:
            self._loaded = self._wrapped = None  # two models seldom fit at a time
            base = load_base(files, info)
            self._loaded = key, base
        self._originals = {}
        return base

    def _apply(self, base: Any, model: ResolvedModel, info: EngineInfo) -> Any:
        """Put an adapter onto the base: merged, or beside it where that was asked for."""
        from peft import PeftModel

        assert model.adapter is not None
        adapter = fetch_weights(model.adapter)
        what = f"adapter {adapter.name} on {model.base.name}"
        loaded, self._loaded = self._loaded, None  # until it is known to be whole
        names = {name for name, _ in base.named_parameters()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # one library's advice to another
            wrapped = or_explain(
                what,
                # `low_cpu_mem_usage` would round the adapter to the base's precision first.
                lambda: PeftModel.from_pretrained(
                    base, str(adapter.folder), torch_device=info.device
                ),
            )
            if info.adapters == "unmerged":
                self._loaded, self._wrapped = loaded, wrapped
                return wrapped.get_base_model()
            touched = _touched(wrapped) if self._keep_base else None
            if touched is not None and set(touched) <= names:
                self._originals = touched
                self._loaded = loaded
            return or_explain(what, lambda: _merged(wrapped))


def _merged(wrapped: Any) -> Any:
    """The base with the adapter in its weights. Products and sums are made in float32, in which
    PEFT keeps adapters, and rounded once; merging "safely" would round what is added, too.

    Raises ValueError for weights that are no numbers.
    """
    merged = wrapped.merge_and_unload()
    for name, weight in merged.named_parameters():
        if not weight.isfinite().all():
            raise ValueError(f"{name} is not finite once the adapter is merged")
    return merged


def _touched(wrapped: Any) -> dict[str, torch.Tensor] | None:
    """Copies, by their names in the base, of the weights that merging will change; None for an
    adapter that replaces more than these."""
    from peft.tuners.lora import LoraLayer

    config = wrapped.peft_config["default"]
    if config.modules_to_save or config.bias != "none" or config.peft_type != "LORA":
        return None
    return {
        f"{name}.weight": _weight(module).detach().to("cpu", copy=True)
        for name, module in wrapped.get_base_model().named_modules()
        if isinstance(module, LoraLayer)
    }


def _weight(layer: Any) -> torch.Tensor:
    weight: torch.Tensor = layer.get_base_layer().weight
    return weight


def load_model(model: ResolvedModel, info: EngineInfo) -> Any:
    """One model, loaded for itself; see `ModelPool.borrow`."""
    return ModelPool().borrow(model, info)
