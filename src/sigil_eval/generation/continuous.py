"""The default engine: continuous batching of a transformers model over a cache of slots.

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


class _Batch:
    """The slots at one moment.

    `drafts` has None where a slot is free. On the device, each (slots,): `tokens` drawn last,
    `lengths` of what is cached, `positions` of the next token in its draft, and sampling keys.
    """

    def __init__(self, layers: int, slots: int, device: torch.device) -> None:
        self.drafts: list[Draft | None] = [None] * slots
        self.cache = SlotCache(layers, slots)
        self.tokens, self.lengths, self.positions, self.keys = torch.zeros(
            4, slots, dtype=torch.long, device=device
        )

    @property
    def free(self) -> list[int]:
        """The slots without a draft."""
        return [slot for slot, draft in enumerate(self.drafts) if draft is None]

    def enter(self, drafts: Sequence[Draft], prefilled: _Prefilled) -> None:
        """Give a slot to each draft; all are to the same prompt, with one token drawn."""
        slots = self.free[: len(drafts)]
        rows = torch.tensor(
            [[draft.drawn[-1], len(draft.prompt), 1, draft.request.key] for draft in drafts],
            device=self.tokens.device,
        )
        index = torch.tensor(slots, device=self.tokens.device)
        for state, column in zip(
            (self.tokens, self.lengths, self.positions, self.keys), rows.unbind(1), strict=True
        ):
            state[index] = column
        self.cache.put(prefilled.cache, index)
        for slot, draft in zip(slots, drafts, strict=True):
            self.drafts[slot] = draft

    def keep_live(self) -> None:
        """Take the free slots away."""
        live = [slot for slot, draft in enumerate(self.drafts) if draft is not None]
        index = torch.tensor(live, device=self.tokens.device)
        self.cache.keep(index)
        self.drafts = [self.drafts[slot] for slot in live]
        self.tokens, self.lengths = self.tokens[index], self.lengths[index]
        self.positions, self.keys = self.positions[index], self.keys[index]


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

        Raises PreflightError for a model whose layers do not all attend to everything before.
        """
        self.info = info
        self.batch_size = batch_size
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
        device's memory runs out, the batch is halved and its unfinished drafts begin again.
        """
        waiting = deque(self._book.open(requests))
        with threads_for(self._model), self._attention():
            while waiting:
                batch = _Batch(self._layers, min(self.batch_size, len(waiting)), self._device)
                under_way: list[Draft] = []
                try:
                    self._generate(batch, waiting, under_way, on_sample)
                    continue
                except torch.cuda.OutOfMemoryError:
                    under_way.extend(draft for draft in batch.drafts if draft is not None)
                # Outside the handler, where the exception no longer keeps a step's tensors.
                del batch
                self._halve()
                for draft in under_way:
                    draft.begin_again()
                waiting.extendleft(reversed(under_way))
        self._prefilled = None

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
        """Work until nothing waits and no slot is taken; `entering` are those in neither."""
        while True:
            self._refill(batch, waiting, entering, on_sample)
            if len(batch.free) == len(batch.drafts):
                return
            logits = self._forward(batch)
            batch.tokens = next_tokens(logits, batch.keys, batch.positions, self._params)
            batch.positions += 1
            for slot, token in enumerate(batch.tokens.tolist()):
                draft = batch.drafts[slot]
                sample = self._book.add(draft, token) if draft is not None else None
                if sample is not None:
                    batch.drafts[slot] = None
                    on_sample(sample)

    def _refill(
        self,
        batch: _Batch,
        waiting: deque[Draft],
        entering: list[Draft],
        on_sample: OnSample,
    ) -> None:
        """Give free slots to drafts that wait, or take them away, once there are enough."""
        free = len(batch.free)
        if free * _SLACK < len(batch.drafts):
            return
        while free and waiting:
            prefilled = self._prefill(waiting[0].prompt)
            while waiting and len(entering) < free and waiting[0].prompt == prefilled.prompt:
                entering.append(waiting.popleft())
            self._draw_first(entering, prefilled, on_sample)
            if entering:
                batch.enter(entering, prefilled)
                free -= len(entering)
                entering.clear()
        if 0 < free < len(batch.drafts):
            batch.keep_live()

    def _prefill(self, prompt: tuple[int, ...]) -> _Prefilled:
        """Let the model read a prompt, by itself, so that its states depend on nothing else."""
        if self._prefilled is None or self._prefilled.prompt != prompt:
            self._prefilled = None
            output = self._model(
                input_ids=torch.tensor([prompt], device=self._device),
                past_key_values=DynamicCache(),
                use_cache=True,
                **self._forward_options,
            )
            self._prefilled = _Prefilled(prompt, output.past_key_values, output.logits[:, -1])
        return self._prefilled

    def _draw_first(
        self, entering: list[Draft], prefilled: _Prefilled, on_sample: OnSample
    ) -> None:
        """Draw the first token of each draft; those that it ends leave the list."""
        keys = torch.tensor([draft.request.key for draft in entering], device=self._device)
        logits = prefilled.logits.expand(len(entering), -1)
        drawn = next_tokens(logits, keys, torch.zeros_like(keys), self._params).tolist()
        going_on = []
        for draft, token in zip(entering, drawn, strict=True):
            sample = self._book.add(draft, token)
            if sample is None:
                going_on.append(draft)
            else:
                on_sample(sample)
        entering[:] = going_on

    def _forward(self, batch: _Batch) -> torch.Tensor:
        """Run the tokens drawn last through the model; logits (slots, vocabulary)."""
        longest = max(
            len(draft.prompt) + len(draft.drawn) for draft in batch.drafts if draft is not None
        )
        width = -(-longest // _ALIGNMENT) * _ALIGNMENT
        batch.lengths.clamp_(max=width - 1)  # a free slot goes on counting until it is taken
        batch.cache.aim(batch.lengths, width)
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

    def _halve(self) -> None:
        self.batch_size = halved(self.batch_size)
        self._prefilled = None
        torch.cuda.empty_cache()


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
