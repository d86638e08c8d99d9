"""A device's memory: how many answers it holds at a time, and when it has run out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from sigil_eval.generation.attention import attention_shape
from sigil_eval.generation.drafts import Draft

# Of the memory that is free once the weights are loaded, what keys and values may take.
_SHARE = 0.8

# How libraries say that they got no memory: the allocator, the driver, cuBLAS and cuDNN, the host.
_RAN_OUT = ("out of memory", "STATUS_ALLOC_FAILED", "can't allocate memory")


def tokens_of(drafts: Sequence[Draft]) -> int:
    """Of the longest draft, were it drawn to its limit."""
    return max(len(draft.prompt) + draft.limit for draft in drafts)


def fitting(model: Any, tokens: int, device: str) -> int | None:
    """How many answers' keys and values a device holds, so many tokens each: one at least. None
    for a processor, whose memory is the machine's."""
    free = free_memory(device)
    if free is None:
        return None
    _, heads, size = attention_shape(model)
    layers = model.config.get_text_config().num_hidden_layers
    each = 2 * layers * heads * size * model.dtype.itemsize * tokens
    return max(1, int(_SHARE * free / each))


def free_memory(device: str) -> int | None:
    """Bytes of a GPU that can be had: what the driver calls free, and what torch's allocator keeps
    for later without anything in it, such as the slots of the model before. None for a
    processor."""
    if not device.startswith("cuda"):
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def ran_out(error: RuntimeError) -> bool:
    """Whether an error says that there was no memory to be had."""
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in str(error) for words in _RAN_OUT
    )
