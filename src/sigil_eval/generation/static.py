"""The oracle: transformers' plain `generate()` on fixed, left-padded batches.

Slow, and simple enough to be believed. It draws with the same noise, so what it gives is what
every faster engine has to give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from sigil_eval.generation.continuous import threads_for
from sigil_eval.generation.drafts import Draft, DraftBook, halved
from sigil_eval.generation.memory import fitting, ran_out, tokens_of
from sigil_eval.generation.protocol import EngineInfo, Request, Sample, SamplingParams
from sigil_eval.generation.sampling import next_tokens


class _KeyedChoice(LogitsProcessor):
    """Leaves only the token that content-keyed sampling draws, so that greedy search takes it."""

    def __init__(self, keys: torch.Tensor, prompt_width: int, params: SamplingParams) -> None:
        self._keys, self._prompt_width, self._params = keys, prompt_width, params

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of (rows, vocabulary) with all but one token ruled out."""
        positions = torch.full_like(self._keys, input_ids.shape[1] - self._prompt_width)
        drawn = next_tokens(scores, self._keys, positions, self._params)
        only = torch.full_like(scores, float("-inf"))
        return only.scatter_(1, drawn[:, None], 0.0)


class HFStaticEngine:
    """Draws samples batch by batch; a batch lasts as long as its longest sample."""

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
        """Draw from a loaded model; see `DraftBook` for `special_tokens`."""
        self.info = info
        self.batch_size = batch_size
        self._model: Any = model
        self._params = params
        self._padding = tokenizer.pad_token_id or 0
        self._book = DraftBook(
            tokenizer, model, params, early_stop=early_stop, special_tokens=special_tokens
        )

    @torch.inference_mode()
    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request; see `Engine.generate`."""
        drafts = self._book.open(requests)
        if drafts:
            fits = fitting(self._model, tokens_of(drafts), self.info.device)
            self.batch_size = min(self.batch_size, fits or self.batch_size)
        with threads_for(self._model):
            while drafts:
                batch = drafts[: self.batch_size]
                try:
                    rows = self._draw(batch)
                except RuntimeError as error:
                    if not ran_out(error):
                        raise
                    rows = None
                if rows is None:
                    self.batch_size = halved(len(batch))
                    torch.cuda.empty_cache()
                    continue
                drafts = drafts[len(batch) :]
                for draft, row in zip(batch, rows, strict=True):
                    on_sample(self._read(draft, row))

    def _draw(self, batch: list[Draft]) -> list[list[int]]:
        """All tokens that `generate` gives for a batch."""
        width = max(len(draft.prompt) for draft in batch)
        pads = [width - len(draft.prompt) for draft in batch]
        ids = [
            [self._padding] * pad + list(draft.prompt)
            for pad, draft in zip(pads, batch, strict=True)
        ]
        mask = [[0] * pad + [1] * (width - pad) for pad in pads]
        device = self.info.device
        keys = torch.tensor([draft.request.key for draft in batch], device=device)
        output = self._model.generate(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=torch.tensor(mask, device=device),
            logits_processor=LogitsProcessorList([_KeyedChoice(keys, width, self._params)]),
            max_new_tokens=max(draft.limit for draft in batch),
            do_sample=False,
            eos_token_id=sorted(self._book.end_ids) or None,
            pad_token_id=self._padding,
        )
        rows: list[list[int]] = output[:, width:].tolist()
        return rows

    def _read(self, draft: Draft, row: list[int]) -> Sample:
        """The sample that ends within a row of tokens."""
        for token in row:
            sample = self._book.add(draft, token)
            if sample is not None:
                return sample
        raise AssertionError("generate() stopped before the sample's end")
