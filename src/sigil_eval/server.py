"""A server that speaks the OpenAI API: asked, heard event by event, and asked again.

Answers are streamed, so that silence is noticed, and a request can be broken off. The token is
read from the environment variable OPENAI_API_KEY, and never shown or written.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NotRequired, TypedDict

from sigil_eval.documents.constraints import Count
from sigil_eval.documents.shape import check
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import json_value

TOKEN_VARIABLE = "OPENAI_API_KEY"  # noqa: S105
ATTEMPTS = 5
SILENCE_SECONDS = 300.0
_MOST_SAID = 500
_TOO_LONG = ("context_length_exceeded", "maximum context length", "exceeds the available context")


class TryAgainError(Exception):
    """A failure that may pass: the server is busy, or the connection broke."""


class ServerError(PreflightError):
    """The server gives no answers."""


class TooLongError(ServerError):
    """The request does not fit into the model's context."""


class _Delta(TypedDict):
    content: NotRequired[str | None]


class _Choice(TypedDict):
    text: NotRequired[str | None]
    delta: NotRequired[_Delta | None]
    finish_reason: NotRequired[str | None]


class _Usage(TypedDict):
    completion_tokens: NotRequired[Count | None]


class Event(TypedDict):
    """What is read of an event of the server's."""

    choices: NotRequired[list[_Choice] | None]
    usage: NotRequired[_Usage | None]


class _Model(TypedDict):
    id: str


class _Models(TypedDict):
    data: list[_Model]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none."""


def check_url(url: str, option: str = "--base-url") -> str:
    """The address without a closing slash.

    Raises UsageError for what is no http address, or holds what belongs into the environment.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{option} is not an address like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise UsageError(
            f"{option} must hold no user, password or query: put the token into {TOKEN_VARIABLE}"
        )
    return url.rstrip("/")


class Server:
    """A server at an address, for any number of threads."""

    def __init__(
        self,
        url: str,
        *,
        pause: float = 1.0,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        """`pause` is how many seconds the first repetition of a failed request waits; each further,
        twice that. `silence` is how many seconds a server may say nothing."""
        self.url = url
        self.stopping = threading.Event()
        """Set, it ends what waits or is under way."""
        self._token = os.environ.get(TOKEN_VARIABLE)
        self._pause, self._silence = pause, silence
        self._open = _opener(url).open

    def ask[T](self, path: str, body: dict[str, Any], read: Callable[[Iterator[Event]], T]) -> T:
        """What `read` makes of the events that answer a request; leaving early breaks it off.

        Raises ServerError where the server refuses the request or fails ATTEMPTS times, and
        TooLongError where the request does not fit into the model's context.
        """
        data = json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}})
        return self._tried(path, lambda: read(self._events(path, data.encode())))

    def models(self) -> list[str] | None:
        """The names of the models that it serves; None where it does not say.

        Raises ServerError as `ask` does.
        """
        return self._tried("/models", self._models)

    def _models(self) -> list[str] | None:
        try:
            with self._opened("/models", None) as response:
                found = check(json_value(response.read()), _Models, "the server's list")
        except _UnknownError:
            return None
        except (ValueError, UsageError) as error:
            raise TryAgainError(str(error)) from None
        return [model["id"] for model in found["data"]]

    def _tried[T](self, path: str, ask: Callable[[], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                return ask()
            except TryAgainError as error:
                reason = error
            if self.stopping.wait(self._pause * 2**attempt):
                break
        raise ServerError(
            f"{self.url}{path} failed {ATTEMPTS} times: {reason}; see whether the server is up, "
            "then run the same command again to go on where it stopped"
        )

    def _events(self, path: str, data: bytes) -> Iterator[Event]:
        """What the server sends, event by event; leaving early closes the connection."""
        with self._opened(path, data) as response:
            for line in response:
                if self.stopping.is_set():
                    raise TryAgainError("another request failed")
                content = line.strip().removeprefix(b"data:").strip()
                if content == b"[DONE]":
                    return
                if line.startswith(b"data:"):
                    yield _event(content)

    @contextlib.contextmanager
    def _opened(self, path: str, data: bytes | None) -> Iterator[Any]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if data is None:
            headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        call = urllib.request.Request(self.url + path, data=data, headers=headers)  # noqa: S310
        try:
            with self._open(call, timeout=self._silence) as response:
                yield response
        except urllib.error.HTTPError as error:
            raise self._refusal(path, error) from None
        except (OSError, http.client.HTTPException) as error:
            raise TryAgainError(str(error) or type(error).__name__) from None

    def _refusal(self, path: str, error: urllib.error.HTTPError) -> Exception:
        """What a status of failure means."""
        address = self.url + path
        said = error.read(_MOST_SAID).decode("utf-8", "replace").strip()
        if self._token:
            said = said.replace(self._token, "[removed]")
        if error.code in (408, 409, 429) or error.code >= 500:
            return TryAgainError(f"status {error.code}: {said}")
        if error.code in (401, 403):
            has = "its token was refused" if self._token else "it wants a token"
            return ServerError(f"{address}: {has}; set {TOKEN_VARIABLE} ({said})")
        if error.code == 400 and any(sign in said for sign in _TOO_LONG):
            return TooLongError(f"{address}: does not fit into the model's context: {said}")
        kind = _UnknownError if error.code in (404, 405) else ServerError
        hint = "; a server that knows no top_k wants --top-k 0" if "top_k" in said else ""
        return kind(f"{address}: status {error.code}: {said}{hint}")


class _UnknownError(ServerError):
    """The server has nothing at that address, or no model of that name."""


def _event(content: bytes) -> Event:
    """An event, which has the shape of one; what has not may be right the next time."""
    try:
        return check(json_value(content), Event, "the server's event")
    except (ValueError, UsageError) as error:
        raise TryAgainError(str(error)) from None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """What opens addresses without following redirects, and loopback's without a proxy."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if urllib.parse.urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1"):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)
