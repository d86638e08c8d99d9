"""Loading tokenizers and base models with transformers, and saying clearly why not."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sigil_eval.errors import PreflightError, SigilEvalError
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.prompts import Message

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

        def render() -> str:
            text: str = self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, date_string=TEMPLATE_DATE
            )
            return text

        return or_explain("the tokenizer's chat template", render)


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

    def load() -> Any:
        tokenizer = AutoTokenizer.from_pretrained(
            files.folder, trust_remote_code=files.trust.remote_code
        )
        tokenizer("fn main() {}")  # some of its files are not looked into before
        return tokenizer

    return or_explain(f"the tokenizer of {files.name}", load)


@dataclass(frozen=True)
class FourBits:
    """How weights are held in 4 bits; computed is in `compute_dtype`, or in the model's own."""

    quant_type: str = "nf4"
    use_double_quant: bool = True
    compute_dtype: str | None = None


def load_base(files: ModelFiles, info: EngineInfo, four_bits: FourBits = FourBits()) -> Any:
    """A base model on its device, its weights read straight to there; quantized, where `info` says
    so, as `four_bits` says."""
    _prepare_libraries()
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    base = fetch_weights(files)
    dtype = getattr(torch, info.dtype)
    placement: dict[str, Any] = {}
    if info.device != "cpu" or info.quantization != "none":
        placement["device_map"] = {"": info.device}
    if info.quantization != "none":
        placement["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type=four_bits.quant_type,
            bnb_4bit_use_double_quant=four_bits.use_double_quant,
            bnb_4bit_compute_dtype=getattr(torch, four_bits.compute_dtype or info.dtype),
        )
    return or_explain(
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


def or_explain[T](what: str, load: Callable[[], T]) -> T:
    """Turn what a library raises for files it cannot use into one message that names them."""
    try:
        return load()
    except SigilEvalError:
        raise
    except Exception as error:
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
