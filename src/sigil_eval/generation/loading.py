"""Loading tokenizers and models with transformers and peft, and saying clearly why not."""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sigil_eval.console import warn
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.prompts import Message
from sigil_eval.settings import DTYPE, QUANTIZATION

if TYPE_CHECKING:
    import torch

# Llama 3's template writes the date of the day unless told one; a prompt must not change
# overnight, so it is told the template's own default.
TEMPLATE_DATE = "26 Jul 2024"


@dataclass(frozen=True)
class TokenizerTemplate:
    """A tokenizer's chat template as prompts want it."""

    tokenizer: Any
    source: str

    def render(self, messages: list[Message]) -> str:
        """The conversation as text, special tokens included, up to the answer's beginning."""
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, date_string=TEMPLATE_DATE
        )
        return text


def chat_template(tokenizer: Any) -> TokenizerTemplate | None:
    """The tokenizer's chat template, if it has one."""
    if not getattr(tokenizer, "chat_template", None):
        return None
    return TokenizerTemplate(tokenizer, tokenizer.get_chat_template())


def load_tokenizer(model: ResolvedModel) -> Any:
    """The adapter's tokenizer where it brings one, else the base's."""
    _prepare_libraries()
    from transformers import AutoTokenizer

    adapter = model.adapter
    files = adapter if adapter is not None and adapter.has_tokenizer else model.base
    return _or_explain(
        f"the tokenizer of {files.name}",
        lambda: AutoTokenizer.from_pretrained(
            files.folder, trust_remote_code=files.trust.remote_code
        ),
    )


def choose_hardware(
    device: str,
    dtype: str,
    quantization: str = "none",
    *,
    merge: bool = True,
    attention: str = "auto",
) -> EngineInfo:
    """Device, precision and attention: a GPU with bfloat16 and flash attention where there are.

    An adapter is merged unless `merge` is False or the base is quantized: four bits hold no
    merged weights. Raises UsageError for what this machine or this program lacks.
    """
    import torch

    if dtype not in DTYPE.choices:
        raise UsageError(f"unknown dtype '{dtype}'; choose one of {', '.join(DTYPE.choices)}")
    if quantization not in QUANTIZATION.choices:
        choices = ", ".join(QUANTIZATION.choices)
        raise UsageError(f"unknown quantization '{quantization}'; choose one of {choices}")
    cuda = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if cuda else "cpu"
    kind = device.split(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"unknown device '{device}'; use auto, cpu, cuda or cuda:N")
    if kind == "cuda" and not cuda:
        raise UsageError(
            "--device cuda, but torch sees no GPU; check `nvidia-smi`, or use --device cpu"
        )
    if dtype == "auto":
        dtype = "bfloat16" if kind == "cuda" else "float32"
    adapters = "merged" if merge and quantization == "none" else "unmerged"
    if attention != "sdpa":
        fault = _why_no_flash_attention(device, dtype)
        if attention != "auto" and fault:
            raise UsageError(f"--attention {attention}: {fault}; use --attention sdpa")
        attention = "sdpa" if fault else "flash_attention_2"
    return EngineInfo(device, dtype, attention, quantization, adapters)


@functools.cache
def _why_no_flash_attention(device: str, dtype: str) -> str:
    """Why attention has to be computed by torch itself; empty where flash-attn is here and right.

    It is asked as generation will ask: transformers loads it, which takes more than `import
    flash_attn`, and the kernel that reads slots runs on the device. A package that is here and
    does not work is worth a warning: generation will be slower than its owner thinks.
    """
    import torch

    if not device.startswith("cuda") or dtype == "float32":
        return "flash attention needs a GPU and half precision"
    if importlib.util.find_spec("flash_attn") is None:
        return "flash-attn is not installed"
    from transformers.modeling_flash_attention_utils import lazy_import_flash_attention

    from sigil_eval.generation.attention import FLASH, check_attention_to_slots

    try:
        lazy_import_flash_attention(FLASH)
        check_attention_to_slots(device, getattr(torch, dtype))
    except (ImportError, ValueError, PreflightError) as error:
        warn(f"flash-attn is installed and not used: {error}")
        return f"flash-attn does not work: {error}"
    return ""


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
            wrapped = _or_explain(
                what,
                lambda: PeftModel.from_pretrained(
                    base, str(adapter.folder), low_cpu_mem_usage=True, torch_device=info.device
                ),
            )
            if info.adapters == "unmerged":
                self._loaded, self._wrapped = loaded, wrapped
                return wrapped.get_base_model()
            touched = _touched(wrapped) if self._keep_base else None
            if touched is not None and set(touched) <= names:
                self._originals = touched
                self._loaded = loaded
            return _or_explain(what, lambda: wrapped.merge_and_unload(safe_merge=True))


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


def load_base(files: ModelFiles, info: EngineInfo) -> Any:
    """A base model on its device, its weights read straight to there."""
    _prepare_libraries()
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    base = fetch_weights(files)
    dtype = getattr(torch, info.dtype)
    placement: dict[str, Any] = {}
    if info.device != "cpu" or info.quantization != "none":
        placement["device_map"] = {"": info.device}
    if info.quantization == "nf4":
        placement["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    return _or_explain(
        base.name,
        lambda: AutoModelForCausalLM.from_pretrained(
            base.folder,
            dtype=dtype,
            attn_implementation=info.attention,
            use_safetensors=None if base.trust.pickle else True,
            trust_remote_code=base.trust.remote_code,
            **placement,
        ),
    )


def _or_explain[T](what: str, load: Callable[[], T]) -> T:
    """Turn what a library raises for files it cannot use into one message that names them."""
    from safetensors import SafetensorError

    try:
        return load()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        if "out of memory" in str(error):
            raise PreflightError(f"{what} does not fit into the device's memory") from None
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = " ".join(lines[:2]) or type(error).__name__
        raise PreflightError(f"{what} cannot be loaded: {reason[:500]}") from error


def _prepare_libraries() -> None:
    """Keep libraries' progress bars and advice out of the run's log (errors still show), and
    keep torch's compiler, which nothing here uses, from starting worker processes."""
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    from transformers.utils import logging as transformers_logging_module

    transformers_logging: Any = transformers_logging_module
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
