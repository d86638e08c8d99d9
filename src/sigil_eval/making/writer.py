"""A language model behind a server, asked for what code itself does not give; once, for all
answers are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, NamedTuple

from sigil_eval import settings
from sigil_eval.documents.dataset_made import MadeWriter, WrittenAnswer
from sigil_eval.errors import UsageError, did_you_mean, quoted
from sigil_eval.files import sha256_text
from sigil_eval.making.questions import Question
from sigil_eval.making.store import Store
from sigil_eval.server import SILENCE_SECONDS, Event, Server, TooLongError, TryAgainError, check_url

_PATH = "/chat/completions"
_CONCURRENCY = 16
_MOST_TOKENS = 2048
_LARGEST_SEED = 0x7FFF_FFFF
_SHOWN = 8


@dataclass(frozen=True)
class WriterOptions:
    """Which model writes, where it is served, and at which temperature. `pause` and `silence` are
    those of `Server`."""

    url: str
    model: str
    temperature: float = settings.WRITER_TEMPERATURE.default
    pause: float = 1.0
    silence: float = SILENCE_SECONDS

    def __post_init__(self) -> None:
        check_url(self.url, settings.WRITER_URL.option)
        if not self.model:
            raise UsageError(
                f"which model of the server's? Name it: {settings.WRITER_MODEL.option}"
            )


class Asked(NamedTuple):
    """A question, and the seed of its answer."""

    question: Question
    seed: int


class Writer:
    """Asks several questions at a time. Use from one thread."""

    def __init__(self, options: WriterOptions, store: Store) -> None:
        self._options, self._store = options, store
        url = check_url(options.url)
        self._server = Server(url, pause=options.pause, silence=options.silence)

    @property
    def record(self) -> MadeWriter:
        """What is recorded of it; where it is served is nobody's business."""
        return {"model": self._options.model, "temperature": self._options.temperature}

    def check(self) -> None:
        """Raises ServerError where the server gives no answers, UsageError where it says that it
        has no such model."""
        known, model = self._server.models(), self._options.model
        if known is not None and model not in known:
            listed = ", ".join(map(quoted, known[:_SHOWN])) or "none at all"
            raise UsageError(
                f"{self._options.url} has no model {quoted(model)}; it has {listed}."
                f"{did_you_mean(model, known)}"
            )

    def answers(self, asked: Sequence[Asked]) -> list[WrittenAnswer]:
        """The answers, in the order of what is asked. Raises ServerError; what was answered until
        then is kept."""
        bodies = {_key(body): body for body in map(self._body, asked)}
        missing = {key: body for key, body in bodies.items() if self._store.answer(key) is None}
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            try:
                under_way = {pool.submit(self._ask, body): key for key, body in missing.items()}
                for future in as_completed(under_way):
                    self._store.keep_answer(under_way[future], future.result())
            except BaseException:
                self._server.stopping.set()  # those that wait end at once, whatever happened
                pool.shutdown(cancel_futures=True)
                raise
        return [self._kept(_key(self._body(one))) for one in asked]

    def provenance(self, asked: Asked) -> dict[str, Any]:
        """The fields of a row that say who has written it."""
        body = self._body(asked)
        return {
            "_writer_model": self._options.model,
            "_writer_prompt_sha256": sha256_text(json.dumps(body["messages"])),
            "_writer_temperature": self._options.temperature,
            "_writer_seed": body["seed"],
        }

    def _kept(self, key: str) -> WrittenAnswer:
        answer = self._store.answer(key)
        assert answer is not None
        return answer

    def _body(self, asked: Asked) -> dict[str, Any]:
        system, user = asked.question
        return {
            "model": self._options.model,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": user},
            ],
            "temperature": self._options.temperature,
            "max_tokens": _MOST_TOKENS,
            "seed": asked.seed & _LARGEST_SEED,
        }

    def _ask(self, body: dict[str, Any]) -> WrittenAnswer:
        try:
            return self._server.ask(_PATH, body, _read)
        except TooLongError:
            return {"text": "", "finish_reason": "too long", "tokens": 0}


def _key(body: dict[str, Any]) -> str:
    """What a request is kept by: all of it."""
    return sha256_text(json.dumps(body, sort_keys=True))


def _read(events: Iterator[Event]) -> WrittenAnswer:
    """An answer, read to its end."""
    text, tokens, reason = "", 0, ""
    for event in events:
        usage = event.get("usage")
        if usage:
            tokens = int(usage.get("completion_tokens") or tokens)
        for choice in event.get("choices") or ():
            text += (choice.get("delta") or {}).get("content") or choice.get("text") or ""
            reason = choice.get("finish_reason") or reason
    if not reason:
        raise TryAgainError("the answer broke off")
    return {"text": text, "finish_reason": reason, "tokens": tokens}
