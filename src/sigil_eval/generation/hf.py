"""The default engine: transformers models, decoded row by row in one rolling batch.

Samples of one prompt share its prefill. A finished row leaves the batch and the next request
takes its place, so the batch stays full however different the lengths of answers are.
"""

from __future__ import annotations

import contextlib
import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.loading import load_model
from sigil_eval.generation.protocol import (
    EngineInfo,
    FinishReason,
    Request,
    Sample,
    SamplingParams,
)
from sigil_eval.generation.sampling import next_tokens
from sigil_eval.generation.source import ResolvedModel
from sigil_eval.generation.stopping import read_answer

# Rows leave, and others enter, once an eighth of the batch is free: each change copies the
# cache, which on a large batch costs as much as a step.
_SLACK = 8

# Parameters. On two busy cores the demo's models run three to thirty times faster on one thread
# than on two; it also makes their samples independent of how many cores there are.
_SMALL_MODEL = 20_000_000


@dataclass
class _Row:
    """One sample under way: its request, its prompt's tokens and what has been drawn."""

    request: Request
    prompt: tuple[int, ...]
    limit: int
    drawn: list[int] = field(default_factory=list)
    finished: bool = False
    between_items: bool = False


@dataclass
class _Batch:
    """Rows in step with each other, left-padded to one width.

    `mask` is (rows, width), 1 where a token stands; `logits` (rows, vocabulary) are those of
    the next token; the cache holds (rows, heads, width, size) for each layer.
    """

    rows: list[_Row]
    cache: DynamicCache
    mask: torch.Tensor
    logits: torch.Tensor
    keys: torch.Tensor


class HFEngine:
    """Draws samples from a causal language model loaded with transformers."""

    def __init__(
        self,
        model: ResolvedModel,
        tokenizer: Any,
        params: SamplingParams,
        info: EngineInfo,
        *,
        batch_size: int,
        early_stop: bool = True,
        special_tokens: bool = True,
    ) -> None:
        """Load the model. `special_tokens` says whether prompts still lack their begin token."""
        self.info = info
        self.batch_size = batch_size
        self._params = params
        self._tokenizer = tokenizer
        self._early_stop = early_stop
        self._special_tokens = special_tokens
        self._model: Any = load_model(model, info)
        self._device = torch.device(info.device)
        self._end_ids = self._find_end_ids()
        self._closers: dict[int, bool] = {}
        self._rows: list[_Row] = []
        self._forward_options = _last_logits_option(self._model)

    def _find_end_ids(self) -> frozenset[int]:
        found: set[int] = set()
        for value in (
            self._tokenizer.eos_token_id,
            self._model.generation_config.eos_token_id,
            self._model.config.eos_token_id,
        ):
            found.update(value if isinstance(value, list) else [] if value is None else [value])
        return frozenset(found)

    @torch.inference_mode()
    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request; see `Engine.generate`.

        Raises UsageError for a prompt that leaves no room in the model's context. When the
        device's memory runs out, the batch is halved and its unfinished rows begin again.
        """
        with _threads_for(self._model):
            self._generate(self._tokenize(requests), on_sample)

    def _generate(self, waiting: deque[_Row], on_sample: Callable[[Sample], None]) -> None:
        batch: _Batch | None = None
        while waiting or batch is not None:
            try:
                batch = self._admit(batch, waiting)
                self._draw(batch, on_sample)
                batch = self._forward(self._drop_finished(batch))
                continue
            except torch.cuda.OutOfMemoryError:
                batch = None
            # Outside the handler, where the exception no longer keeps the step's tensors alive.
            waiting = self._begin_again_with_half()

    def _begin_again_with_half(self) -> deque[_Row]:
        """Halve the batch size; the rows that were not finished, as if never begun."""
        if self.batch_size == 1:
            raise PreflightError(
                "the device's memory does not suffice even for one sample at a time; use a "
                "smaller --max-new-tokens or a device with more memory"
            )
        self.batch_size //= 2
        torch.cuda.empty_cache()
        unfinished = deque(row for row in self._rows if not row.finished)
        for row in unfinished:
            row.drawn.clear()
            row.between_items = False
        return unfinished

    def _tokenize(self, requests: Sequence[Request]) -> deque[_Row]:
        """Rows in order of falling prompt length: little padding, and memory runs out at once
        if it does."""
        context = getattr(self._model.config, "max_position_embeddings", None)
        tokens: dict[str, tuple[int, ...]] = {}
        self._rows = []
        for request in requests:
            if request.prompt not in tokens:
                encoded = self._tokenizer(
                    request.prompt, add_special_tokens=self._special_tokens
                ).input_ids
                _check_length(request, len(encoded), context)
                tokens[request.prompt] = tuple(encoded)
            prompt = tokens[request.prompt]
            room = context - len(prompt) if context else self._params.max_new_tokens
            self._rows.append(_Row(request, prompt, min(room, self._params.max_new_tokens)))
        self._rows.sort(key=lambda row: -len(row.prompt))
        return deque(self._rows)

    def _admit(self, batch: _Batch | None, waiting: deque[_Row]) -> _Batch:
        """Fill the batch up from the waiting rows."""
        live = len(batch.rows) if batch else 0
        free = self.batch_size - live
        if batch is not None and (not waiting or free * _SLACK < self.batch_size):
            return batch
        fresh = self._prefill([waiting.popleft() for _ in range(min(free, len(waiting)))])
        return fresh if batch is None else _join(batch, fresh)

    def _prefill(self, rows: list[_Row]) -> _Batch:
        """Run each distinct prompt once, and give every row of it a copy of the cache."""
        prompts = list(dict.fromkeys(row.prompt for row in rows))
        width = max(len(prompt) for prompt in prompts)
        padding = self._tokenizer.pad_token_id or 0
        ids = [[padding] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        masks = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        mask = torch.tensor(masks, device=self._device)
        output = self._model(
            input_ids=torch.tensor(ids, device=self._device),
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            past_key_values=DynamicCache(),
            use_cache=True,
            **self._forward_options,
        )
        place = {prompt: index for index, prompt in enumerate(prompts)}
        index = torch.tensor([place[row.prompt] for row in rows], device=self._device)
        cache: DynamicCache = output.past_key_values
        cache.batch_select_indices(index)
        keys = torch.tensor([row.request.key for row in rows], device=self._device)
        return _Batch(rows, cache, mask[index], output.logits[index, -1].float(), keys)

    def _draw(self, batch: _Batch, on_sample: Callable[[Sample], None]) -> None:
        """Draw one token for each row, and hand over the samples that are finished by it."""
        positions = torch.tensor([len(row.drawn) for row in batch.rows], device=self._device)
        drawn = next_tokens(batch.logits, batch.keys, positions, self._params).tolist()
        for row, token in zip(batch.rows, drawn, strict=True):
            row.drawn.append(token)
            if row.finished:
                continue  # it only keeps its place until rows are taken out
            sample = self._finish(row, token)
            if sample is not None:
                row.finished = True
                on_sample(sample)

    def _finish(self, row: _Row, token: int) -> Sample | None:
        """The sample, if this token was its last."""
        reason: FinishReason | None = None
        text: str | None = None
        if token in self._end_ids:
            reason, text = "stop", self._decode(row.drawn[:-1])
        elif self._early_stop and (row.between_items or self._closes(token)):
            text = self._decode(row.drawn)
            reading = read_answer(row.request.code_before, text)
            row.between_items = reading.between_items
            if reading.end is not None:
                reason, text = "complete", text[: reading.end]
        if reason is None and len(row.drawn) >= row.limit:
            reason, text = "length", self._decode(row.drawn)
        if reason is None or text is None:
            return None
        request = row.request
        return Sample(request.task_id, request.sample_index, text, len(row.drawn), reason)

    def _decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _closes(self, token: int) -> bool:
        """Whether a token may end an item or a fence, so that it is worth looking."""
        known = self._closers.get(token)
        if known is None:
            text = self._decode([token])
            known = self._closers[token] = "}" in text or "`" in text or ";" in text
        return known

    def _drop_finished(self, batch: _Batch) -> _Batch | None:
        """Take finished rows out, once there are enough of them, and padding nobody needs."""
        live = [index for index, row in enumerate(batch.rows) if not row.finished]
        gone = len(batch.rows) - len(live)
        if not live:
            return None
        if gone == 0 or gone * _SLACK < len(batch.rows):
            return batch
        index = torch.tensor(live, device=self._device)
        mask = batch.mask[index]
        start = int(mask.any(dim=0).int().argmax())
        for layer in _layers(batch.cache):
            layer.keys = layer.keys[index, :, start:]
            layer.values = layer.values[index, :, start:]
        rows = [batch.rows[i] for i in live]
        return _Batch(rows, batch.cache, mask[:, start:], batch.logits[index], batch.keys[index])

    def _forward(self, batch: _Batch | None) -> _Batch | None:
        """Run the tokens just drawn through the model."""
        if batch is None:
            return None
        tokens = torch.tensor([[row.drawn[-1]] for row in batch.rows], device=self._device)
        mask = torch.nn.functional.pad(batch.mask, (0, 1), value=1)
        output = self._model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=mask.sum(dim=-1, keepdim=True) - 1,
            past_key_values=batch.cache,
            use_cache=True,
            **self._forward_options,
        )
        return _Batch(
            batch.rows, output.past_key_values, mask, output.logits[:, -1].float(), batch.keys
        )


@contextlib.contextmanager
def _threads_for(model: Any) -> Iterator[None]:
    """One thread for a model so small that threads spend their time waiting for each other."""
    threads = torch.get_num_threads()
    if model.num_parameters() < _SMALL_MODEL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check_length(request: Request, length: int, context: int | None) -> None:
    if length == 0:
        raise UsageError(f"{request.task_id}: its prompt is empty")
    if context and length >= context:
        raise UsageError(
            f"{request.task_id}: its prompt has {length} tokens, and the model's context holds "
            f"{context}, which leaves no room for an answer; leave the problem out"
        )


def _last_logits_option(model: Any) -> dict[str, int]:
    """Ask for the last position's logits only, of models that can."""
    can = "logits_to_keep" in inspect.signature(model.forward).parameters
    return {"logits_to_keep": 1} if can else {}


def _layers(cache: DynamicCache) -> list[Any]:
    """The layers of a cache; each holds `keys` and `values`, (rows, heads, width, size)."""
    return list(cache.layers)


def _join(first: _Batch, second: _Batch) -> _Batch:
    """Two batches as one, the narrower padded on the left."""
    width = max(first.mask.shape[1], second.mask.shape[1])
    pad = torch.nn.functional.pad
    for layer, other in zip(_layers(first.cache), _layers(second.cache), strict=True):
        for name in ("keys", "values"):
            parts = [getattr(layer, name), getattr(other, name)]
            padded = [pad(part, (0, 0, width - part.shape[2], 0)) for part in parts]
            setattr(layer, name, torch.cat(padded))
    masks = [pad(part.mask, (width - part.mask.shape[1], 0)) for part in (first, second)]
    return _Batch(
        first.rows + second.rows,
        first.cache,
        torch.cat(masks),
        torch.cat([first.logits, second.logits]),
        torch.cat([first.keys, second.keys]),
    )
