"""Padding, as the real module does it: with einops, which nothing else of the package needs."""

import torch
import torch.nn.functional as F  # noqa: N812 - the real module's name
from einops import rearrange, repeat


def index_first_axis(input, indices):
    """Rows of a tensor."""
    width = input.shape[1:].numel()
    flat = rearrange(input, "b ... -> b (...)")
    picked = torch.gather(flat, 0, repeat(indices, "z -> z d", d=width))
    return picked.reshape(-1, *input.shape[1:])


def unpad_input(hidden_states, attention_mask, unused_mask=None):
    """(tokens, ...), their indices, cumulated lengths, the longest, and used ones."""
    mask = attention_mask if unused_mask is None else attention_mask + unused_mask
    lengths = mask.sum(dim=-1, dtype=torch.int32)
    used = attention_mask.sum(dim=-1, dtype=torch.int32)
    indices = torch.nonzero(mask.flatten(), as_tuple=False).flatten()
    cumulated = F.pad(torch.cumsum(lengths, dim=0, dtype=torch.int32), (1, 0))
    tokens = index_first_axis(rearrange(hidden_states, "b s ... -> (b s) ..."), indices)
    return tokens, indices, cumulated, lengths.max().item(), used


def pad_input(hidden_states, indices, batch, seqlen):
    """(tokens, ...) back to (batch, length, ...)."""
    padded = hidden_states.new_zeros(batch * seqlen, *hidden_states.shape[1:])
    padded[indices] = hidden_states
    return rearrange(padded, "(b s) ... -> b s ...", b=batch)
