"""Flash attention over slots: each row reads as many positions as its slot holds, and no more.

Masked attention reads the longest slot's length for every row, and needs a mask.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

FLASH = "flash_attention_2"


@contextlib.contextmanager
def flash_over_slots(model: Any) -> Iterator[None]:
    """Let a model attend by flash attention where it is told `slot_lengths`, (rows,) of int32;
    everywhere else, and afterwards, as before."""
    from flash_attn import flash_attn_with_kvcache  # type: ignore[import-not-found]

    before = model.config.get_text_config()._attn_implementation

    def attend(
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        *args: Any,
        slot_lengths: torch.Tensor | None = None,
        scaling: float | None = None,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, None]:
        """From (rows, heads, positions, size) to (rows, positions, heads, size)."""
        if slot_lengths is None:
            original = ALL_ATTENTION_FUNCTIONS[before]
            result: tuple[torch.Tensor, None] = original(
                module, query, key, value, attention_mask, *args, scaling=scaling, **kwargs
            )
            return result
        attended = flash_attn_with_kvcache(
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            cache_seqlens=slot_lengths,
            softmax_scale=scaling,
            causal=True,
        )
        return attended, None

    AttentionInterface.register("sigil_slots", attend)
    model.set_attn_implementation("sigil_slots")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
