"""Flash attention over slots: each row reads as many positions as its slot holds, and no more.

Masked attention reads the longest slot's length for every row, and needs a mask.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from sigil_eval.errors import PreflightError

FLASH = "flash_attention_2"

# Lengths of slots that are checked: short ones, where one position more or less shows at once, and
# those around the sizes of blocks in which kernels read.
_LENGTHS = (1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200)
_CAPACITY = 256


@contextlib.contextmanager
def flash_over_slots() -> Iterator[None]:
    """Let models with flash attention read slots where they are told `slot_lengths`, (rows,) of
    int32; everywhere else, and afterwards, they attend as before.

    What transformers calls under the name of flash attention is exchanged, and the name stays: it
    goes by the name to find the kernels for everything else, such as reading a prompt.
    """
    original = ALL_ATTENTION_FUNCTIONS[FLASH]

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
        if slot_lengths is None:
            result: tuple[torch.Tensor, None] = original(
                module, query, key, value, attention_mask, *args, scaling=scaling, **kwargs
            )
            return result
        return attend_to_slots(query, key, value, slot_lengths, scaling), None

    ALL_ATTENTION_FUNCTIONS[FLASH] = attend
    try:
        yield
    finally:
        ALL_ATTENTION_FUNCTIONS[FLASH] = original


def attend_to_slots(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    lengths: torch.Tensor,
    scaling: float | None,
) -> torch.Tensor:
    """What each row's query, (rows, heads, 1, size), finds in the first `lengths` positions of its
    slot, (rows, key heads, positions, size) each: (rows, 1, heads, size)."""
    from flash_attn import flash_attn_with_kvcache  # type: ignore[import-not-found]

    attended: torch.Tensor = flash_attn_with_kvcache(
        query.transpose(1, 2),
        keys.transpose(1, 2),
        values.transpose(1, 2),
        cache_seqlens=lengths,
        softmax_scale=scaling,
        causal=True,
    )
    return attended


def attention_shape(model: Any) -> tuple[int, int, int]:
    """A model's heads, its heads of keys and values, and the size of each."""
    config = model.config.get_text_config()
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    return heads, getattr(config, "num_key_value_heads", None) or heads, size


def check_attention_to_slots(
    device: str, dtype: torch.dtype, heads: int = 32, key_heads: int = 8, size: int = 128
) -> None:
    """Compare attention to slots of unequal lengths with the formula, in float32, on numbers drawn
    anew; the shape is Llama-3.1-8B's unless told otherwise.

    softmax(q·k / √size)·v (Vaswani et al. 2017, arXiv 1706.03762). A right kernel rounds weights
    and results to half precision, so that a value may be off by some of its last bits. What lies
    beyond a slot's length is large: one position too many shows as much as one too few.
    Raises PreflightError where the kernel does not run or gives something else.
    """
    rows, draw = len(_LENGTHS), torch.Generator().manual_seed(1)

    def numbers(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw).to(dtype)

    query = numbers(rows, heads, 1, size)
    keys, values = numbers(2, rows, key_heads, _CAPACITY, size)
    largest = float(values.abs().max())
    for row, length in enumerate(_LENGTHS):
        values[row, :, length:] = 100
    expected = _attention_in_float32(query, keys, values)
    width = max(_LENGTHS)
    try:
        found = attend_to_slots(
            query.to(device),
            keys.to(device)[:, :, :width],
            values.to(device)[:, :, :width],
            torch.tensor(_LENGTHS, dtype=torch.int32, device=device),
            size**-0.5,
        )
        difference = float((found.float().cpu() - expected).abs().max())
    except (ImportError, RuntimeError, AttributeError, TypeError) as error:
        raise PreflightError(f"flash attention does not run here: {error}") from None
    if not difference <= 2 * torch.finfo(dtype).eps * largest:
        raise PreflightError(
            "flash attention gives something else here than attention is: values differ by up to "
            f"{difference:.2g}"
        )


def _attention_in_float32(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """The formula, row by row, for slots of `_LENGTHS`: (rows, 1, heads, size)."""
    groups = query.shape[1] // keys.shape[1]
    rows = []
    for row, length in enumerate(_LENGTHS):
        held = [
            states[row, :, :length].float().repeat_interleave(groups, dim=0)
            for states in (keys, values)
        ]
        scores = query[row].float() @ held[0].transpose(1, 2) * query.shape[-1] ** -0.5
        rows.append((scores.softmax(-1) @ held[1]).transpose(0, 1))
    return torch.stack(rows)
