"""The engine hf: continuous batching of a transformers model over a cache of slots.

Samples of one prompt share its prefill. Each sample under way holds a slot; when it ends, the
next request takes the slot over, so that every step computes samples and no padding, however
different their lengths are. docs/adr/ADR-009 says why this loop and not another.
"""

from __future__ import annotations

import contextlib
import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from sigil_eval.errors import PreflightError
from sigil_eval.generation.attention import (
    FLASH,
    attention_shape,
    check_attention_to_slots,
    flash_over_slots,
)
from sigil_eval.generation.drafts import Draft, DraftBook, halved
from sigil_eval.generation.memory import fitting, ran_out, tokens_of
from sigil_eval.generation.protocol import EngineInfo, Request, Sample, SamplingParams
from sigil_eval.generation.sampling import next_tokens
from sigil_eval.generation.slots import SlotCache

# Slots are refilled, or taken away where nothing waits, once one in sixteen is free: each time
# costs some work in every layer, and a free slot costs its share of a step.
_SLACK = 16

# What attention reads is rounded up to this, the alignment that fused kernels want of masks.
_ALIGNMENT = 8

# Parameters. On two busy cores the demo's models run three to thirty times faster on one thread
# than on two; it also makes their samples independent of how many cores there are.
_SMALL_MODEL = 20_000_000

OnSample = Callable[[Sample], None]


@dataclass(frozen=True)
class _Prefilled:
    """A prompt that the model has read: its cache, and the logits (1, vocabulary) after it."""

    prompt: tuple[int, ...]
    cache: DynamicCache
    logits: torch.Tensor


class _Reading:
    """Tokens on their way to the host, one for each draft; where there is no draft, it is nobody's.

    The copy is queued behind the step that draws them, so that whoever waits for it waits for no
    later step.
    """

    def __init__(self, drafts: Sequence[Draft | None], tokens: torch.Tensor) -> None:
        self._drafts = list(drafts)
        self._tokens = tokens.to("cpu", non_blocking=True, copy=True)
        self._there: Any = None
        if tokens.is_cuda:
            stream: Any = torch.cuda.current_stream(tokens.device)
            self._there = stream.record_event()

    def wait(self) -> Iterator[tuple[Draft, int]]:
        """Drafts that are still under way, each with its token."""
        if self._there is not None:
            self._there.synchronize()
        for draft, token in zip(self._drafts, self._tokens.tolist(), strict=True):
            if draft is not None and draft.slot is not None:
                yield draft, token


class _Batch:
    """The slots at one moment.

    `drafts` has None where a slot is free. On the device, each (slots,): `tokens` drawn last,
    `lengths` of what is cached, `positions` of the next token in its draft, sampling keys, and the
    slots' `rows`. `held` is `lengths` as the host knows it without asking.
    """

    def __init__(self, layers: int, slots: int, capacity: int, device: torch.device) -> None:
        self.drafts: list[Draft | None] = [None] * slots
        self.held = [0] * slots
        self.cache = SlotCache(layers, slots, capacity)
        self.rows = torch.arange(slots, device=device)
        self.tokens, self.lengths, self.positions, self.keys = torch.zeros(
            4, slots, dtype=torch.long, device=device
        )

    @property
    def free(self) -> list[int]:
        """The slots without a draft."""
        return [slot for slot, draft in enumerate(self.drafts) if draft is None]

    @property
    def under_way(self) -> list[Draft]:
        """The drafts that have a slot."""
        return [draft for draft in self.drafts if draft is not None]

    def enter(
        self,
        drafts: Sequence[Draft],
        prefilled: _Prefilled,
        first: torch.Tensor,
        keys: torch.Tensor,
    ) -> None:
        """Give a slot to each draft; all are to the same prompt, whose `first` tokens are drawn."""
        slots, length = self.free[: len(drafts)], len(prefilled.prompt)
        index = _sent(slots, self.rows.device)
        self.tokens[index], self.keys[index] = first, keys
        self.lengths[index], self.positions[index] = length, 1
        self.cache.put(prefilled.cache, index)
        for slot, draft in zip(slots, drafts, strict=True):
            self.drafts[slot], draft.slot, self.held[slot] = draft, slot, length

    def leave(self, draft: Draft) -> None:
        """Free a draft's slot."""
        assert draft.slot is not None
        self.drafts[draft.slot] = None
        draft.slot = None

    def close_free(self) -> None:
        """Close the free slots: the last drafts move to the first of them."""
        size = len(self.under_way)
        targets = [slot for slot in self.free if slot < size]
        moving = [draft for draft in self.drafts[size:] if draft is not None]
        if moving:
            pairs = _sent([[draft.slot for draft in moving], targets], self.rows.device)
            sources, index = pairs.unbind()
            self.cache.move(sources, index)
            for state in (self.tokens, self.lengths, self.positions, self.keys):
                state[index] = state[sources]
            for target, draft in zip(targets, moving, strict=True):
                assert draft.slot is not None
                self.held[target] = self.held[draft.slot]
                self.drafts[target], draft.slot = draft, target
        self.drafts, self.held, self.rows = self.drafts[:size], self.held[:size], self.rows[:size]
        self.tokens, self.lengths = self.tokens[:size], self.lengths[:size]
        self.positions, self.keys = self.positions[:size], self.keys[:size]


class HFEngine:
    """Draws samples from a causal language model loaded with transformers."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        params: SamplingParams,
        info: EngineInfo,
        *,
        batch_size: int,
        early_stop: bool = True,
        special_tokens: bool = True,
    ) -> None:
        """Draw from a loaded model; see `DraftBook` for `special_tokens`.

        `batch_size` is how many answers may be under way at a time; `slots` says afterwards for how
        many there was work and memory.
        Raises PreflightError for a model whose layers do not all attend to everything before.
        """
        self.info = info
        self.batch_size = batch_size
        self.slots = 0
        self._model: Any = model
        self._params = params
        self._book = DraftBook(
            tokenizer, model, params, early_stop=early_stop, special_tokens=special_tokens
        )
        self._device = torch.device(info.device)
        self._forward_options = _last_logits_option(model)
        self._layers = _plain_layers(model)
        self._prefilled: _Prefilled | None = None
        self._flash = False

    @torch.inference_mode()
    def generate(self, requests: Sequence[Request], on_sample: OnSample) -> None:
        """Answer every request; see `Engine.generate`.

        Raises UsageError for a prompt that leaves no room in the model's context. When the
        device's memory runs out, half as many slots are opened, and what was under way begins
        again.
        """
        waiting = deque(self._book.open(requests))
        with threads_for(self._model), self._attention():
            while waiting:
                batch, entering = self._open(waiting), list[Draft]()
                try:
                    self._generate(batch, waiting, entering, on_sample)
                    continue
                except RuntimeError as error:
                    if not ran_out(error):
                        raise
                # Outside the handler, where the exception no longer keeps a step's tensors.
                entering += batch.under_way
                self.batch_size = halved(len(batch.drafts))
                del batch
                self._prefilled = None
                torch.cuda.empty_cache()
                for draft in entering:
                    draft.begin_again()
                waiting.extendleft(reversed(entering))
        self._prefilled = None

    def _open(self, waiting: Sequence[Draft]) -> _Batch:
        """Slots for what waits: no more than that, than the device holds, and than were allowed."""
        capacity = _aligned(tokens_of(waiting))
        slots = min(self.batch_size, len(waiting))
        slots = min(slots, fitting(self._model, capacity, self.info.device) or slots)
        self.slots = slots
        return _Batch(self._layers, slots, capacity, self._device)

    @contextlib.contextmanager
    def _attention(self) -> Iterator[None]:
        """Flash attention over slots, where it was chosen and gives what it should."""
        if self.info.attention != FLASH:
            yield
            return
        try:
            check_attention_to_slots(
                self.info.device, self._model.dtype, *attention_shape(self._model)
            )
        except PreflightError as error:
            raise PreflightError(f"{error}; use --attention sdpa") from None
        self._flash = True
        try:
            with flash_over_slots():
                yield
        finally:
            self._flash = False

    def _generate(
        self,
        batch: _Batch,
        waiting: deque[Draft],
        entering: list[Draft],
        on_sample: OnSample,
    ) -> None:
        """Work until nothing waits and no slot is taken; `entering` are those in neither.

        A step is launched before the tokens of the one before are read, so that the device works
        while the host looks at what has ended. What a step draws for an answer that the one before
        has ended is nobody's.
        """
        readings: deque[_Reading] = deque()
        while True:
            self._refill(batch, waiting, entering, readings)
            if not batch.under_way:
                return
            logits = self._forward(batch)
            batch.tokens = next_tokens(logits, batch.keys, batch.positions, self._params)
            batch.positions += 1
            readings.append(_Reading(batch.drafts, batch.tokens))
            while len(readings) > 1:
                for draft, token in readings.popleft().wait():
                    sample = self._book.add(draft, token)
                    if sample is not None:
                        batch.leave(draft)
                        on_sample(sample)

    def _refill(
        self,
        batch: _Batch,
        waiting: deque[Draft],
        entering: list[Draft],
        readings: deque[_Reading],
    ) -> None:
        """Give free slots to drafts that wait, or close them, once there are enough."""
        free = len(batch.free)
        if free * _SLACK < len(batch.drafts):
            return
        while free and waiting:
            prefilled = self._prefill(waiting[0].prompt)
            while waiting and len(entering) < free and waiting[0].prompt == prefilled.prompt:
                entering.append(waiting.popleft())
            keys = _sent([draft.request.key for draft in entering], self._device)
            logits = prefilled.logits.expand(len(entering), -1)
            first = next_tokens(logits, keys, torch.zeros_like(keys), self._params)
            batch.enter(entering, prefilled, first, keys)
            readings.append(_Reading(entering, first))
            free -= len(entering)
            entering.clear()
        if 0 < free < len(batch.drafts):
            batch.close_free()

    def _prefill(self, prompt: tuple[int, ...]) -> _Prefilled:
        """Let the model read a prompt, by itself, so that its states depend on nothing else."""
        if self._prefilled is None or self._prefilled.prompt != prompt:
            self._prefilled = None
            output = self._model(
                input_ids=_sent([prompt], self._device),
                past_key_values=DynamicCache(),
                use_cache=True,
                **self._forward_options,
            )
            self._prefilled = _Prefilled(prompt, output.past_key_values, output.logits[:, -1])
        return self._prefilled

    def _forward(self, batch: _Batch) -> torch.Tensor:
        """Run the tokens drawn last through the model; logits (slots, vocabulary)."""
        longest = 1 + max(batch.held[slot] for slot, d in enumerate(batch.drafts) if d is not None)
        width = _aligned(longest)
        batch.held = [min(length, width - 1) + 1 for length in batch.held]
        batch.lengths.clamp_(max=width - 1)  # a free slot goes on counting until it is taken
        batch.cache.aim(batch.rows, batch.lengths, width)
        output = self._model(
            input_ids=batch.tokens[:, None],
            **self._limits(batch.lengths, width),
            position_ids=batch.lengths[:, None],
            past_key_values=batch.cache,
            use_cache=True,
            **self._forward_options,
        )
        batch.lengths += 1
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def _limits(self, lengths: torch.Tensor, width: int) -> dict[str, torch.Tensor]:
        """What keeps each row from reading beyond its own slot."""
        if self._flash:
            return {"slot_lengths": (lengths + 1).int()}
        mask = torch.arange(width, device=self._device) <= lengths[:, None]
        return {"attention_mask": mask[:, None, None]}


def _aligned(tokens: int) -> int:
    """So many positions, or some more."""
    return -(-tokens // _ALIGNMENT) * _ALIGNMENT


def _sent(numbers: Sequence[Any], device: torch.device) -> torch.Tensor:
    """Whole numbers on their way to the device, for which the host does not wait."""
    pinned = torch.tensor(numbers, pin_memory=device.type == "cuda")
    return pinned.to(device, non_blocking=True)


@contextlib.contextmanager
def threads_for(model: Any) -> Iterator[None]:
    """One thread for a model so small that threads spend their time waiting for each other."""
    threads = torch.get_num_threads()
    if model.num_parameters() < _SMALL_MODEL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _last_logits_option(model: Any) -> dict[str, int]:
    """Ask for the last position's logits only, of models that can."""
    can = "logits_to_keep" in inspect.signature(model.forward).parameters
    return {"logits_to_keep": 1} if can else {}


def _plain_layers(model: Any) -> int:
    """How many layers a model has, all of which must attend to everything before."""
    config = model.config.get_text_config()
    layers = DynamicCache(config=config).layers
    if any(type(layer) is not DynamicLayer for layer in layers):
        raise PreflightError(
            f"a {config.model_type} model has layers that do not keep all keys and values "
            "(a sliding window, or a state); use --engine hf-static"
        )
    return int(config.num_hidden_layers)
