"""Drawing the next token with noise keyed by content.

The noise of (sample key, token position, token id) is a hash, not the state of a generator,
so a sample does not depend on what it is batched with, on the order of work, or on an
interruption. Adding Gumbel noise to log-probabilities and taking the largest draws from the
softmax exactly (Gumbel 1954; Maddison, Tarlow, Minka 2014, "A* Sampling").
"""

from __future__ import annotations

import torch

from sigil_eval.generation.protocol import SamplingParams

# The constants of splitmix64 (Steele, Lea, Flood 2014), as signed 64-bit integers: torch's
# int64 arithmetic wraps around, which is what the hash wants.
_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)
# Bits of a uniform number. With one more, half a step below 1 would round to 1, whose noise is
# infinite.
_UNIFORM_BITS = 52

# So many times top-k candidates are looked at, to see the tokens that tie with the k-th.
_CANDIDATES = 2


def _shift_right(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Shift without carrying the sign along, which `>>` on int64 would."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: torch.Tensor) -> torch.Tensor:
    """The finalizer of splitmix64: every input bit reaches every output bit."""
    x = (x ^ _shift_right(x, 30)) * _MIX_1
    x = (x ^ _shift_right(x, 27)) * _MIX_2
    return x ^ _shift_right(x, 31)


def gumbel_noise(keys: torch.Tensor, positions: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Gumbel(0, 1) noise, float64 of shape (rows, candidates).

    keys, positions: int64 (rows,); tokens: int64 (rows, candidates), the candidates' ids.

    -ln(-ln(u)) of u = (i + 1/2) / 2^52, i the upper 52 bits of the hash: each u is exact, the
    least 2^-53 and the largest 1 - 2^-53 (`u01fixedpt_open_open_64_double` of Random123; Salmon,
    Moraes, Dror, Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"), so that noise lies
    between -3.61 and 36.74.
    """
    rows = _mix(keys + (positions + 1) * _GOLDEN)
    bits = _mix(_mix(rows)[:, None] + (tokens + 1) * _GOLDEN)
    return -torch.log(-torch.log(_uniform(bits)))


def _uniform(bits: torch.Tensor) -> torch.Tensor:
    """Float64 between 0 and 1, neither of which it can be, from 64 bits."""
    return (_shift_right(bits, 64 - _UNIFORM_BITS).double() + 0.5) / (1 << _UNIFORM_BITS)


def next_tokens(
    logits: torch.Tensor, keys: torch.Tensor, positions: torch.Tensor, params: SamplingParams
) -> torch.Tensor:
    """One token id for each row, int64 (rows,), from logits (rows, vocabulary).

    Temperature first, then top-k, then top-p: a token stays while fewer than top_k tokens are
    strictly larger than it, and, of what these leave, their probability is below top_p. So equal
    logits, which are common in half precision, stay or go together, and in which order a device
    sorts them changes nothing. (A tie with the k-th that reaches the last of the candidates goes.)
    """
    if params.temperature == 0:
        return logits.argmax(dim=-1)
    vocabulary = logits.shape[-1]
    count = min(_CANDIDATES * params.top_k or vocabulary, vocabulary)
    likeliest, tokens = torch.topk(logits, count, dim=-1)
    scores = likeliest.double() / params.temperature
    larger = torch.searchsorted(-scores, -scores)  # how many are strictly larger than each
    if params.top_k:
        kept = larger < params.top_k
        if count < vocabulary:
            kept &= (scores > scores[:, -1:]) | (larger == 0)
        scores = scores.masked_fill(~kept, float("-inf"))
    if params.top_p < 1:
        probabilities = scores.softmax(dim=-1)
        before = (probabilities.cumsum(dim=-1) - probabilities).gather(-1, larger)
        scores = scores.masked_fill(before >= params.top_p, float("-inf"))
    best = (scores + gumbel_noise(keys, positions, tokens)).argmax(dim=-1, keepdim=True)
    return tokens.gather(-1, best).squeeze(-1)
