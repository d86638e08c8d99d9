"""The key of a sample: one 64-bit number from which all of its randomness follows."""

from __future__ import annotations

import hashlib
import json

SAMPLER_VERSION = 2
"""Of the way in which tokens follow from logits and a key (`sampling.next_tokens`). 1 had uniform
numbers of 53 bits, and cut equal logits at the edge of top-k and top-p in the order of memory."""


def sample_key(seed: int, model: str, task_id: str, sample_index: int) -> int:
    """A signed 64-bit key for one sample.

    `model` is the identity of the weights (commits or content hashes, not a path or a label),
    so a model that was moved or renamed draws the same samples.
    """
    text = json.dumps([seed, model, task_id, sample_index], separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
