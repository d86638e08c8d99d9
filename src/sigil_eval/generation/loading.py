"""Loading tokenizers and models with transformers and peft, and saying clearly why not."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.generation.source import ResolvedModel, fetch_weights
from sigil_eval.prompts import Message

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "bfloat16", "float16", "float32")
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
    source = adapter if adapter is not None and adapter.has_tokenizer else model.base
    return _or_explain(
        f"the tokenizer of {source.name}",
        lambda: AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False),
    )


def choose_hardware(device: str, dtype: str) -> EngineInfo:
    """Device, precision and attention: a GPU with bfloat16 and flash attention where there are.

    Raises UsageError for a device or precision that this machine or this program lacks.
    """
    import torch

    if dtype not in DTYPES:
        raise UsageError(f"unknown dtype '{dtype}'; choose one of {', '.join(DTYPES)}")
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
    flash = kind == "cuda" and dtype != "float32" and _flash_attention_works()
    return EngineInfo(device, dtype, "flash_attention_2" if flash else "sdpa")


def _flash_attention_works() -> bool:
    """Whether flash-attn is installed and loads; after another torch was installed it doesn't."""
    if importlib.util.find_spec("flash_attn") is None:
        return False
    try:
        import flash_attn  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        return False
    return True


def load_model(model: ResolvedModel, info: EngineInfo) -> torch.nn.Module:
    """The base in evaluation mode on its device, with the adapter merged into its weights."""
    _prepare_libraries()
    import torch
    from transformers import AutoModelForCausalLM

    base = fetch_weights(model.base)
    placement = {} if info.device == "cpu" else {"device_map": {"": info.device}}
    loaded: Any = _or_explain(
        base.name,
        lambda: AutoModelForCausalLM.from_pretrained(
            base.folder,
            dtype=getattr(torch, info.dtype),
            attn_implementation=info.attention,
            use_safetensors=True,
            trust_remote_code=False,
            **placement,
        ),
    )
    if model.adapter is not None:
        loaded = _merge(loaded, model)
    evaluated: torch.nn.Module = loaded.eval()
    return evaluated


def _merge(loaded: Any, model: ResolvedModel) -> Any:
    from peft import PeftModel

    assert model.adapter is not None
    adapter = fetch_weights(model.adapter)
    what = f"adapter {adapter.name} on {model.base.name}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # one library's advice to another
        merged = _or_explain(what, lambda: PeftModel.from_pretrained(loaded, str(adapter.folder)))
        return _or_explain(what, lambda: merged.merge_and_unload(safe_merge=True))


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
