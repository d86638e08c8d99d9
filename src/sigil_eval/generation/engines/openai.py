"""The openai engine: any server that speaks the OpenAI completions or chat completions API.

A request is broken off as soon as its answer is complete.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from sigil_eval.errors import UsageError
from sigil_eval.generation.engines.kind import DrawingOptions, EngineKind
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.protocol import (
    Engine,
    EngineInfo,
    FinishReason,
    ModelSpec,
    Request,
    Revisions,
    Sample,
    SamplingParams,
)
from sigil_eval.generation.stopping import AnswerReader
from sigil_eval.prompts import SERVER_TEMPLATE, resolve_prompt_mode
from sigil_eval.server import Event, Server, TryAgainError, check_url

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

CONCURRENCY = 64
ON_A_SERVER = EngineInfo(device="server", dtype="server", attention="server")


class OpenAI(EngineKind):
    """A server of somebody's, which has model and chat template."""

    name = "openai"
    summary = "a server"
    needs_base_url = True

    def check(self, options: DrawingOptions) -> None:
        """See `check_url`."""
        check_url(options.base_url or "")

    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        """Take the model's name, by which the server knows it, for its revision."""
        if not spec.name:
            raise UsageError("which model of the server's? Name it with --base-model")
        mode = resolve_prompt_mode(prompt_mode, SERVER_TEMPLATE)
        return Prepared(spec.name, mode, Revisions(f"served:{spec.name}"), SERVER_TEMPLATE)

    def describe(self, options: DrawingOptions) -> EngineInfo:
        """Nothing is known of the server's hardware."""
        return ON_A_SERVER

    @contextlib.contextmanager
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> Iterator[Engine]:
        """Connect with the first request."""
        yield OpenAIEngine(
            options.base_url or "",
            prepared.name,
            params,
            chat=prepared.prompt_mode == "chat",
            early_stop=options.early_stop,
            concurrency=options.batch_size or CONCURRENCY,
        )


class OpenAIEngine:
    """Draws samples from a server. Its own sampler is given each sample's key as its seed: the
    same server gives the same samples where it promises as much for a seed, and no more."""

    def __init__(
        self,
        url: str,
        model: str,
        params: SamplingParams,
        *,
        chat: bool,
        early_stop: bool = True,
        concurrency: int = 32,
        pause: float = 1.0,
    ) -> None:
        """`chat` sends prompts as a user's message, else as text to be continued. `pause` is how
        many seconds the first repetition of a failed request waits; each further, twice that."""
        self.info = ON_A_SERVER
        self._server = Server(check_url(url), pause=pause)
        self._path = "/chat/completions" if chat else "/completions"
        self._model = model
        self._params = params
        self._chat = chat
        self._early_stop = early_stop
        self._concurrency = concurrency

    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request, several at a time; see `Engine.generate`.

        Raises PreflightError when the server refuses a request, or fails it five times.
        """
        self._server.stopping.clear()
        lock = threading.Lock()

        def work(request: Request) -> None:
            if not self._server.stopping.is_set():
                sample = self._server.ask(
                    self._path, self._body(request), lambda events: self._read(request, events)
                )
                with lock:
                    on_sample(sample)

        with ThreadPoolExecutor(self._concurrency) as pool:
            try:
                under_way = [pool.submit(work, request) for request in requests]
                done, _ = wait(under_way, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            finally:
                self._server.stopping.set()  # those that wait end at once, whatever happened
                pool.shutdown(cancel_futures=True)

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "temperature": self._params.temperature,
            "top_p": self._params.top_p,
            "max_tokens": request.max_new_tokens or self._params.max_new_tokens,
            "seed": request.key & 0x7FFF_FFFF,
        }
        if self._params.top_k:
            body["top_k"] = self._params.top_k
        if self._chat:
            return body | {"messages": [{"role": "user", "content": request.prompt}]}
        return body | {"prompt": request.prompt}

    def _read(self, request: Request, events: Iterator[Event]) -> Sample:
        """One answer, read until it is complete."""
        text, tokens, reason = "", 0, ""
        reader = AnswerReader(request.code_before, request.asked)
        for event in events:
            usage = event.get("usage")
            if usage:
                tokens = int(usage.get("completion_tokens") or tokens)
            for choice in event.get("choices") or ():
                piece = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
                reason = choice.get("finish_reason") or reason
                text += piece
                tokens += bool(piece) and not usage
            if self._early_stop and text:
                end = reader.read(text).end
                if end is not None:
                    return _sample(request, text[:end], tokens, "complete")
        if not reason:
            raise TryAgainError("the answer broke off")
        return _sample(request, text, tokens, "length" if reason == "length" else "stop")


def _sample(request: Request, text: str, tokens: int, reason: FinishReason) -> Sample:
    return Sample(request.task_id, request.sample_index, text, tokens, reason)
