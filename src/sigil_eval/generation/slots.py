"""A key/value cache of slots: each sample has a place of its own, which the next one takes over.

A step writes one position into each slot, in place, and reads views: nothing is copied but when
the slots become wider, which happens every `_STEP` tokens at most, or fewer.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer

# Tokens by which slots become wider.
_STEP = 64


class SlotLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's keys and values, (slots, heads, capacity, size) each.

    Positions that were never written hold zeros, so that what attention masks is finite.
    """

    def __init__(self, slots: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.slots = slots
        self.lengths = torch.empty(0, dtype=torch.long)
        self.width = 0
        self._rows = torch.empty(0, dtype=torch.long)
        self._keys = self._values = torch.empty(slots, 0, 0, 0)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing: `put` makes room before anything is written."""

    def put(self, keys: torch.Tensor, values: torch.Tensor, slots: torch.Tensor) -> None:
        """Write a prompt's states, (1, heads, tokens, size), to the beginning of some slots."""
        tokens = keys.shape[2]
        self._widen(keys, values, tokens)
        self._keys[slots, :, :tokens] = keys
        self._values[slots, :, :tokens] = values

    def _widen(self, keys: torch.Tensor, values: torch.Tensor, tokens: int) -> None:
        """Make room for so many tokens in each slot, of states like the given."""
        if tokens > self._keys.shape[2]:
            capacity = -(-tokens // _STEP) * _STEP
            self._keys = _wider(self._keys, keys, capacity)
            self._values = _wider(self._values, values, capacity)

    def aim(self, lengths: torch.Tensor, width: int) -> None:
        """Let the next `update` write at `lengths`, (slots,), and read `width` positions."""
        self.lengths, self.width = lengths, width
        if len(self._rows) != self.slots:
            self._rows = torch.arange(self.slots, device=lengths.device)
        self._widen(self._keys, self._values, width)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one position of each slot; views of all that may be read."""
        self._keys[self._rows, :, self.lengths] = key_states[:, :, 0]
        self._values[self._rows, :, self.lengths] = value_states[:, :, 0]
        return self._keys[:, :, : self.width], self._values[:, :, : self.width]

    def keep(self, slots: torch.Tensor) -> None:
        """Keep only these slots, in this order."""
        self.slots = len(slots)
        self._keys, self._values = self._keys[slots], self._values[slots]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of what is read."""
        return self.width, 0

    def get_seq_length(self) -> int:
        """Positions that may be read; slots are filled to different lengths."""
        return self.width

    def get_max_length(self) -> int:
        """No maximum: slots become wider."""
        return -1


def _wider(held: torch.Tensor, states: torch.Tensor, capacity: int) -> torch.Tensor:
    """What is held, with room for `capacity` tokens in each slot, of states like the given."""
    slots, heads, size = held.shape[0], states.shape[1], states.shape[3]
    wider = states.new_zeros(slots, heads, capacity, size)
    if held.shape[2]:
        wider[:, :, : held.shape[2]] = held
    return wider


class SlotCache(Cache):
    """The slots of all layers of a model."""

    def __init__(self, layers: int, slots: int) -> None:
        self._slots = [SlotLayer(slots) for _ in range(layers)]
        super().__init__(layers=[*self._slots])

    def put(self, prompt: Cache, slots: torch.Tensor) -> None:
        """Write a prompt's states, as the model has left them in a cache of one row."""
        for layer, states in zip(self._slots, prompt.layers, strict=True):
            assert isinstance(states, DynamicLayer) and states.keys is not None
            assert states.values is not None
            layer.put(states.keys, states.values, slots)

    def aim(self, lengths: torch.Tensor, width: int) -> None:
        """Say where the next step writes and how far it reads; see `SlotLayer.aim`."""
        for layer in self._slots:
            layer.aim(lengths, width)

    def keep(self, slots: torch.Tensor) -> None:
        """Keep only these slots, in this order."""
        for layer in self._slots:
            layer.keep(slots)
