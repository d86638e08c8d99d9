"""The openai engine: any server that speaks the OpenAI completions or chat completions API.

Answers are streamed, so that a request is broken off as soon as its answer is complete. The
token is read from the environment variable OPENAI_API_KEY, and never shown or written.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from sigil_eval.documents.constraints import Count
from sigil_eval.documents.shape import check
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import json_value
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

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

TOKEN_VARIABLE = "OPENAI_API_KEY"  # noqa: S105
ATTEMPTS = 5
SILENCE_SECONDS = 300.0
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


class _TryAgainError(Exception):
    """A failure that may pass: the server is busy, or the connection broke."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none."""


def check_url(url: str) -> str:
    """The address without a closing slash.

    Raises UsageError for what is no http address, or holds what belongs into the environment.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--base-url is not an address like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise UsageError(
            f"--base-url must hold no user, password or query: put the token into {TOKEN_VARIABLE}"
        )
    return url.rstrip("/")


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
        token: str | None = None,
        pause: float = 1.0,
    ) -> None:
        """`chat` sends prompts as a user's message, else as text to be continued. `pause` is how
        many seconds the first repetition of a failed request waits; each further, twice that."""
        self.info = ON_A_SERVER
        self._url = check_url(url) + ("/chat/completions" if chat else "/completions")
        self._model = model
        self._params = params
        self._chat = chat
        self._early_stop = early_stop
        self._concurrency = concurrency
        self._token = token or os.environ.get(TOKEN_VARIABLE)
        self._pause = pause
        self._open = _opener(url).open
        self._stopping = threading.Event()

    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request, several at a time; see `Engine.generate`.

        Raises PreflightError when the server refuses a request, or fails it five times.
        """
        self._stopping.clear()
        lock = threading.Lock()

        def work(request: Request) -> None:
            if not self._stopping.is_set():
                sample = self._answer(request)
                with lock:
                    on_sample(sample)

        with ThreadPoolExecutor(self._concurrency) as pool:
            try:
                under_way = [pool.submit(work, request) for request in requests]
                done, _ = wait(under_way, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            finally:
                self._stopping.set()  # those that wait end at once, whatever happened
                pool.shutdown(cancel_futures=True)

    def _answer(self, request: Request) -> Sample:
        for attempt in range(ATTEMPTS):
            try:
                return self._stream(request)
            except _TryAgainError as error:
                reason = error
            if self._stopping.wait(self._pause * 2**attempt):
                break
        raise PreflightError(
            f"{self._url} failed {ATTEMPTS} times: {reason}; see whether the server is up, then "
            "run the same command again to go on where it stopped"
        )

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "temperature": self._params.temperature,
            "top_p": self._params.top_p,
            "max_tokens": request.max_new_tokens or self._params.max_new_tokens,
            "seed": request.key & 0x7FFF_FFFF,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._params.top_k:
            body["top_k"] = self._params.top_k
        if self._chat:
            return body | {"messages": [{"role": "user", "content": request.prompt}]}
        return body | {"prompt": request.prompt}

    def _stream(self, request: Request) -> Sample:
        """One answer, read until it is complete."""
        text, tokens, reason = "", 0, ""
        reader = AnswerReader(request.code_before, request.asked)
        for event in self._events(self._body(request)):
            if self._stopping.is_set():
                raise _TryAgainError("another request failed")
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
            raise _TryAgainError("the answer broke off")
        return _sample(request, text, tokens, "length" if reason == "length" else "stop")

    def _events(self, body: dict[str, Any]) -> Iterator[_Event]:
        """What the server sends, event by event; leaving early closes the connection."""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode()
        call = urllib.request.Request(self._url, data=data, headers=headers)  # noqa: S310
        try:
            with self._open(call, timeout=SILENCE_SECONDS) as response:
                for line in response:
                    content = line.strip().removeprefix(b"data:").strip()
                    if content == b"[DONE]":
                        return
                    if line.startswith(b"data:"):
                        yield _event(content)
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise _TryAgainError(str(error) or type(error).__name__) from None

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        """What a status of failure means."""
        said = error.read(500).decode("utf-8", "replace").strip()
        if self._token:
            said = said.replace(self._token, "[removed]")
        if error.code in (408, 409, 429) or error.code >= 500:
            return _TryAgainError(f"status {error.code}: {said}")
        if error.code in (401, 403):
            has = "its token was refused" if self._token else "it wants a token"
            return PreflightError(f"{self._url}: {has}; set {TOKEN_VARIABLE} ({said})")
        hint = "; a server that knows no top_k wants --top-k 0" if "top_k" in said else ""
        return PreflightError(f"{self._url}: status {error.code}: {said}{hint}")


class _Delta(TypedDict):
    content: NotRequired[str | None]


class _Choice(TypedDict):
    text: NotRequired[str | None]
    delta: NotRequired[_Delta | None]
    finish_reason: NotRequired[str | None]


class _Usage(TypedDict):
    completion_tokens: NotRequired[Count | None]


class _Event(TypedDict):
    """What is read of an event of the server's."""

    choices: NotRequired[list[_Choice] | None]
    usage: NotRequired[_Usage | None]


def _event(content: bytes) -> _Event:
    """An event, which has the shape of one; what has not may be right the next time."""
    try:
        return check(json_value(content), _Event, "the server's event")
    except (ValueError, UsageError) as error:
        raise _TryAgainError(str(error)) from None


def _sample(request: Request, text: str, tokens: int, reason: FinishReason) -> Sample:
    return Sample(request.task_id, request.sample_index, text, tokens, reason)


def _opener(url: str) -> urllib.request.OpenerDirector:
    """What opens addresses without following redirects, and loopback's without a proxy."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if urllib.parse.urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1"):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def wait_until_up(url: str, seconds: float, alive: Callable[[], bool]) -> bool:
    """Whether a server answers at an address within so many seconds, while it is alive."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and alive():
        try:
            with _opener(url).open(url, timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False
