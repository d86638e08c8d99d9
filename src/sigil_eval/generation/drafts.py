"""Samples under way: prompts as tokens, and when and why a sample ends.

What the engines that draw tokens themselves have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.protocol import FinishReason, Request, Sample, SamplingParams
from sigil_eval.generation.stopping import AnswerReader


@dataclass(slots=True)
class Draft:
    """One sample under way: its request, its prompt's tokens and what has been drawn.

    `limit` is how many tokens may be drawn; `awaits` are characters of which one must be in a
    token for the answer to be complete with it, any token where it is empty. `slot` is where the
    hf engine has it, None before and afterwards.
    """

    request: Request
    prompt: tuple[int, ...]
    limit: int
    reader: AnswerReader
    drawn: list[int] = field(default_factory=list)
    awaits: str = "}`;"
    slot: int | None = None

    def begin_again(self) -> None:
        """Forget what has been drawn."""
        self.drawn.clear()
        self.awaits = "}`;"
        self.slot = None
        self.reader = AnswerReader(self.request.code_before, self.request.asked)


class DraftBook:
    """Turns requests into drafts, and drafts that have ended into samples."""

    def __init__(
        self,
        tokenizer: Any,
        model: Any,
        params: SamplingParams,
        *,
        early_stop: bool,
        special_tokens: bool,
    ) -> None:
        """`special_tokens` says whether prompts still lack their begin token."""
        self._tokenizer = tokenizer
        self._params = params
        self._early_stop = early_stop
        self._special_tokens = special_tokens
        self._context = getattr(model.config, "max_position_embeddings", None)
        self._decides: dict[tuple[int, str], bool] = {}
        self.end_ids = _end_ids(tokenizer, model)

    def open(self, requests: Sequence[Request]) -> list[Draft]:
        """Drafts in order of falling prompt length, those of one prompt together: memory runs
        out at once if it does, and a prompt is read once.

        Raises UsageError for a prompt that leaves no room in the model's context.
        """
        tokens: dict[str, tuple[int, ...]] = {}
        drafts = []
        for request in requests:
            if request.prompt not in tokens:
                tokens[request.prompt] = self._tokenize(request)
            prompt = tokens[request.prompt]
            limit = request.max_new_tokens or self._params.max_new_tokens
            if self._context:
                limit = min(limit, self._context - len(prompt))
            drafts.append(
                Draft(request, prompt, limit, AnswerReader(request.code_before, request.asked))
            )
        return sorted(drafts, key=lambda draft: (-len(draft.prompt), draft.prompt))

    def _tokenize(self, request: Request) -> tuple[int, ...]:
        if not request.prompt.strip():
            raise UsageError(f"{request.task_id}: its prompt is empty")
        encoded = self._tokenizer(request.prompt, add_special_tokens=self._special_tokens)
        ids: tuple[int, ...] = tuple(encoded.input_ids)
        if self._context and len(ids) >= self._context:
            raise UsageError(
                f"{request.task_id}: its prompt has {len(ids)} tokens, and the model's context "
                f"holds {self._context}, which leaves no room for an answer; leave the problem out"
            )
        return ids

    def add(self, draft: Draft, token: int) -> Sample | None:
        """Add a token that was drawn; the sample, if it was the draft's last."""
        draft.drawn.append(token)
        reason: FinishReason | None = None
        text: str | None = None
        if token in self.end_ids:
            reason, text = "stop", self.decode(draft.drawn[:-1])
        elif self._early_stop and self._may_decide(token, draft.awaits):
            text = self.decode(draft.drawn)
            reading = draft.reader.read(text)
            draft.awaits = reading.awaits
            if reading.end is not None:
                reason, text = "complete", text[: reading.end]
        if reason is None and len(draft.drawn) >= draft.limit:
            reason, text = "length", self.decode(draft.drawn)
        if reason is None or text is None:
            return None
        request = draft.request
        return Sample(request.task_id, request.sample_index, text, len(draft.drawn), reason)

    def _may_decide(self, token: int, awaits: str) -> bool:
        """Whether an answer can be complete with a token, so that it is worth looking."""
        if not awaits:
            return True
        known = self._decides.get((token, awaits))
        if known is None:
            text = self.decode([token])
            known = self._decides[token, awaits] = any(mark in text for mark in awaits)
        return known

    def decode(self, tokens: list[int]) -> str:
        """The text of tokens, without special ones."""
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


def _end_ids(tokenizer: Any, model: Any) -> frozenset[int]:
    """Every token that the tokenizer or the model says ends an answer."""
    found: set[int] = set()
    for value in (
        tokenizer.eos_token_id,
        model.generation_config.eos_token_id,
        model.config.eos_token_id,
    ):
        found.update(value if isinstance(value, list) else [] if value is None else [value])
    return frozenset(found)


def halved(batch_size: int) -> int:
    """A batch for less memory; PreflightError when there is none."""
    if batch_size == 1:
        raise PreflightError(
            "the device's memory does not suffice even for one sample at a time; use a "
            "smaller --max-new-tokens or a device with more memory"
        )
    return batch_size // 2
