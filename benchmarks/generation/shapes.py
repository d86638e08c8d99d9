"""Models with random weights, in the shape of a real one: no download, and as fast as it is."""

from __future__ import annotations

from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sigil_eval.generation.protocol import EngineInfo

_LLAMA_8B: dict[str, Any] = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
    "rope_theta": 500000.0,
}
_SMALL = _LLAMA_8B | {
    "hidden_size": 256,
    "intermediate_size": 896,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 16384,
}
_TINY = _SMALL | {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,  # of 32, as small as vLLM takes them
    "num_key_value_heads": 1,
}
SHAPES = {"8b": _LLAMA_8B, "small": _SMALL, "tiny": _TINY}


def random_model(shape: str, info: EngineInfo) -> Any:
    """A Llama of one of SHAPES with random weights, the same each time, made where it will run."""
    config = LlamaConfig(**SHAPES[shape])
    torch.manual_seed(1)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, info.dtype))
    try:
        with torch.device(info.device):
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    model.set_attn_implementation(info.attention)
    model.generation_config.eos_token_id = model.config.eos_token_id = None
    return model.eval()  # type: ignore[no-untyped-call]
