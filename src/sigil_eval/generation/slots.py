"""A key/value cache of slots: each sample has a place of its own, which the next one takes over.

It is allocated once, as wide as the longest prompt and answer may be. A step writes one position
into each slot, in place, and reads views: nothing is copied, and every address stays.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer


class SlotLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's keys and values, (slots, heads, capacity, size) each.

    Positions that were never written hold zeros, so that what attention masks is finite.
    """

    def __init__(self, slots: int, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._slots, self._capacity = slots, capacity
        self._rows = self._lengths = torch.empty(0, dtype=torch.long)
        self._width = 0
        self._keys = self._values = torch.empty(0)
        self._read = self._keys, self._values

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocate, for states like the given; `put` does, before anything is written."""
        self._keys, self._values = (
            states.new_zeros(self._slots, states.shape[1], self._capacity, states.shape[3])
            for states in (key_states, value_states)
        )

    def put(self, keys: torch.Tensor, values: torch.Tensor, slots: torch.Tensor) -> None:
        """Write a prompt's states, (1, heads, tokens, size), to the beginning of some slots."""
        if self._keys.ndim == 1:
            self.lazy_initialization(keys, values)
        self._keys[slots, :, : keys.shape[2]] = keys
        self._values[slots, :, : keys.shape[2]] = values

    def aim(self, rows: torch.Tensor, lengths: torch.Tensor, width: int) -> None:
        """Let the next `update` write at `lengths` of `rows`, (open slots,) each, which are the
        first, and read `width` positions."""
        if (len(rows), width) != (len(self._rows), self._width):
            self._read = (self._keys[: len(rows), :, :width], self._values[: len(rows), :, :width])
        self._rows, self._lengths, self._width = rows, lengths, width

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one position of each open slot; views of all that may be read."""
        self._keys[self._rows, :, self._lengths] = key_states.squeeze(2)
        self._values[self._rows, :, self._lengths] = value_states.squeeze(2)
        return self._read

    def move(self, sources: torch.Tensor, targets: torch.Tensor) -> None:
        """Copy slots to others."""
        self._keys[targets] = self._keys[sources]
        self._values[targets] = self._values[sources]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of what is read."""
        return self._width, 0

    def get_seq_length(self) -> int:
        """Positions that may be read; slots are filled to different lengths."""
        return self._width

    def get_max_length(self) -> int:
        """Positions that a slot has."""
        return self._capacity


class SlotCache(Cache):
    """The slots of all layers of a model, each with `capacity` positions."""

    def __init__(self, layers: int, slots: int, capacity: int) -> None:
        self.capacity = capacity
        self._slots = [SlotLayer(slots, capacity) for _ in range(layers)]
        super().__init__(layers=[*self._slots])

    def put(self, prompt: Cache, slots: torch.Tensor) -> None:
        """Write a prompt's states, as the model has left them in a cache of one row."""
        for layer, states in zip(self._slots, prompt.layers, strict=True):
            assert isinstance(states, DynamicLayer) and states.keys is not None
            assert states.values is not None
            layer.put(states.keys, states.values, slots)

    def aim(self, rows: torch.Tensor, lengths: torch.Tensor, width: int) -> None:
        """Say where the next step writes and how far it reads; see `SlotLayer.aim`."""
        for layer in self._slots:
            layer.aim(rows, lengths, width)

    def move(self, sources: torch.Tensor, targets: torch.Tensor) -> None:
        """Copy slots to others."""
        for layer in self._slots:
            layer.move(sources, targets)
