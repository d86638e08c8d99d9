"""The engine that draws from a server: a real HTTP server on loopback."""

from __future__ import annotations

import http.server
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.generation.engines.openai import OpenAIEngine
from sigil_eval.generation.protocol import Request, Sample
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.server import check_url

TOKEN = "sk-loopback-0123456789"  # noqa: S105
ANSWER = "    x * 2\n}\n\nThis doubles the number, and goes on at great length about it.\n"
PROMPT = "fn double(x: i32) -> i32 {\n"
PARAMS = SamplingParams(num_samples=2, max_new_tokens=64)


class Server(http.server.BaseHTTPRequestHandler):
    """As much of a completions server as its clients need.

    It continues every prompt with ANSWER, word by word, until the client leaves; `trouble` holds
    what to do instead, once each.
    """

    token: str | None = None
    trouble: list[Any] = []  # noqa: RUF012
    bodies: list[dict[str, Any]] = []  # noqa: RUF012
    words_sent = 0
    under_way = most_under_way = 0
    lock = threading.Lock()

    def do_POST(self) -> None:
        """Stream one answer, or make trouble."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            Server.under_way += 1
            Server.most_under_way = max(Server.most_under_way, Server.under_way)
            trouble = self.trouble.pop(0) if self.trouble else None
            self.bodies.append({"path": self.path, **body})
        try:
            if self.token and self.headers["Authorization"] != f"Bearer {self.token}":
                self._refuse(401, "no or wrong token: " + str(self.headers["Authorization"]))
            elif isinstance(trouble, tuple):
                self._refuse(*trouble)
            else:
                self._stream(body, breaks_off=trouble == "break")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has what it wants
        finally:
            with self.lock:
                Server.under_way -= 1

    def answer(self, body: dict[str, Any]) -> str:
        """What is answered to a request."""
        return ANSWER

    def do_GET(self) -> None:
        """Where a redirect leads."""
        self.bodies.append({"path": self.path})
        self._refuse(404, "nothing here")

    def _refuse(self, status: int, text: str) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", text)
        self.end_headers()
        self.wfile.write(text.encode())

    def _stream(self, body: dict[str, Any], breaks_off: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        chat = "messages" in body
        words = re.findall(r"\s*\S+\s?", self.answer(body))[: body["max_tokens"]]
        for number, word in enumerate(words):
            if breaks_off and number == 2:
                return
            content = {"delta": {"content": word}} if chat else {"text": word}
            self._event({"choices": [{"index": 0, **content, "finish_reason": None}]})
            Server.words_sent += 1
            time.sleep(0.01)
        reason = "length" if len(words) == body["max_tokens"] else "stop"
        self._event({"choices": [{"index": 0, "finish_reason": reason}]})
        self._event({"choices": [], "usage": {"completion_tokens": len(words)}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a running server."""
    Server.token, Server.trouble, Server.bodies = None, [], []
    Server.words_sent = Server.most_under_way = 0
    for name in list(os.environ):
        if "proxy" in name.lower() or name == "OPENAI_API_KEY":
            monkeypatch.delenv(name)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def ask(url: str, count: int = 1, **options: Any) -> list[Sample]:
    """Samples of one small problem."""
    settings = {"chat": False, "pause": 0.01, **options}
    engine = OpenAIEngine(url, "model", settings.pop("params", PARAMS), **settings)
    samples: list[Sample] = []
    engine.generate(
        [Request("T/1", i, PROMPT, PROMPT, i - 1) for i in range(count)], samples.append
    )
    return sorted(samples, key=lambda sample: sample.sample_index)


def test_an_answer_is_broken_off_where_it_is_complete(url: str) -> None:
    (sample,) = ask(url)
    assert sample == Sample("T/1", 0, "    x * 2\n}", 5, "complete")
    time.sleep(0.2)
    assert Server.words_sent < 12, "the server went on to the end"
    (body,) = Server.bodies
    assert body["path"] == "/v1/completions"
    assert (body["prompt"], body["model"]) == (PROMPT, "model")
    assert (body["temperature"], body["top_p"], body["top_k"]) == (0.2, 0.95, 50)
    assert 0 <= body["seed"] < 2**31


def test_each_sample_has_a_seed_of_its_own_and_they_run_together(url: str) -> None:
    samples = ask(url, count=12, concurrency=4, early_stop=False)
    assert [sample.sample_index for sample in samples] == list(range(12))
    assert len({body["seed"] for body in Server.bodies}) == 12
    assert 2 <= Server.most_under_way <= 4


def test_to_the_end_and_to_the_limit(url: str) -> None:
    (sample,) = ask(url, early_stop=False)
    assert (sample.completion, sample.finish_reason, sample.tokens) == (ANSWER, "stop", 16)
    (cut,) = ask(url, params=replace(PARAMS, max_new_tokens=2))
    assert (cut.completion, cut.finish_reason, cut.tokens) == ("    x * ", "length", 2)


def test_what_passes_is_tried_again(url: str) -> None:
    Server.trouble = [(503, "busy"), (429, "slowly"), "break"]
    (sample,) = ask(url)
    assert sample.finish_reason == "complete" and len(Server.bodies) == 4
    Server.trouble = [(500, "out of order")] * 5
    with pytest.raises(PreflightError, match=r"failed 5 times: status 500: out of order"):
        ask(url)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(PreflightError, match=r"failed 5 times: .*refused"):
        ask("http://127.0.0.1:9/v1")


def test_a_refusal_is_final(url: str) -> None:
    Server.trouble = [(400, "unknown parameter top_k")]
    with pytest.raises(PreflightError, match=r"status 400.*wants --top-k 0"):
        ask(url)
    assert len(Server.bodies) == 1
    ask(url, params=replace(PARAMS, top_k=0))
    assert "top_k" not in Server.bodies[1]


def test_the_token_goes_to_the_server_and_nowhere_else(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Server.token = TOKEN
    with pytest.raises(PreflightError, match="it wants a token; set OPENAI_API_KEY"):
        ask(url)
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN + "x")
    with pytest.raises(PreflightError, match="its token was refused") as refusal:
        ask(url)
    assert TOKEN not in str(refusal.value) and "[removed]" in str(refusal.value)
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN)
    assert len(ask(url)) == 1
    before = len(Server.bodies)
    Server.trouble = [(302, url.replace("/v1", "/elsewhere/completions"))]
    with pytest.raises(PreflightError, match="status 302"):
        ask(url)
    assert len(Server.bodies) == before + 1, "the token was carried along a redirect"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("127.0.0.1:8000", "is not an address like"),
        ("file:///etc/passwd", "is not an address like"),
        ("http://me:secret@127.0.0.1/v1", "must hold no user, password or query"),
        ("http://127.0.0.1/v1?key=secret", "must hold no user, password or query"),
    ],
)
def test_addresses_that_are_refused(wrong: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_url(wrong)


@pytest.fixture(scope="module")
def problems(humaneval: ProblemSet) -> tuple[Problem, ...]:
    """Two problems."""
    return humaneval.problems[:2]


@pytest.mark.parametrize(("mode", "path"), [("auto", "/chat/completions"), ("completion", "")])
def test_a_samples_file_from_a_server(
    mode: str,
    path: str,
    url: str,
    tmp_path: Path,
    problems: tuple[Problem, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN)
    output = tmp_path / "served.jsonl"
    options = EngineOptions(engine="openai", base_url=url)
    summary = generate_samples(
        ModelSpec("some/model"),
        problems,
        PARAMS,
        output,
        prompt_mode=mode,
        options=options,
    )
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [(r["task_id"], r["sample_index"]) for r in rows] == [
        (p.task_id, i) for p in problems for i in range(2)
    ]
    assert {(row["model"], row["revision"]) for row in rows} == {
        ("some/model", "served:some/model")
    }
    assert (summary.device, summary.prompt_mode) == ("server", "chat" if path else "completion")
    assert all(body["path"] == f"/v1{path or '/completions'}" for body in Server.bodies)
    if path:
        (message,) = Server.bodies[0]["messages"]
        assert message["role"] == "user" and message["content"].startswith("Complete the following")
    written = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert TOKEN.encode() not in written
