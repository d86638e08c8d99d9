"""A mirror of every host that a set-up downloads from, on loopback, that can be made to fail.

It hands on what it fetches from the real hosts, keeps it, and serves from this machine what cannot
be had from them everywhere: git repositories, a CPython source archive, and a model hub. All
clients reach it by the documented variables and by apt's sources, so whatever befalls it befalls
apt, pip, uv, git, cargo, rustup and curl alike.
"""

from __future__ import annotations

import errno
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import Hub

# The first that is free. Compiled crates hold a hash of where they came from.
PORTS = range(18470, 18480)
RUSTUP = "rustup/archive/1.28.2/x86_64-unknown-linux-gnu/rustup-init"
REPOSITORIES = ("pyenv.git", "github")
UPSTREAM = {
    "ubuntu": os.environ.get("UBUNTU_ARCHIVE", "http://archive.ubuntu.com/ubuntu"),
    "simple": "https://pypi.org/simple",
    "files": "https://files.pythonhosted.org",
    "rust": "https://static.rust-lang.org",
    "crates": "https://index.crates.io",
    "crate-files": "https://static.crates.io/crates",
}


@dataclass
class Fault:
    """What happens to answers whose path matches: truncate, corrupt, or status."""

    kind: str
    path: str


class Mirror:
    """The mirror; `local` holds the folders pyenv.git, github, python, release and hub."""

    def __init__(self, cache: Path, local: Path) -> None:
        self.cache, self.local = cache, local
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self._server: Server | None = None
        self._locks: dict[str, threading.Lock] = {}
        self.hub = Hub(local / "hub")
        for self.port in PORTS:
            try:
                self.up()
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or self.port == PORTS[-1]:
                    raise
        self.hub.elsewhere = f"http://localhost:{self.port}/hub"

    def up(self) -> None:
        """Start answering, on the port of before."""
        handler = type("Bound", (Handler,), {"mirror": self})
        self._server = Server(("127.0.0.1", self.port), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def down(self) -> None:
        """Answer nothing any more: the network is gone."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self._server is not None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def variables(self) -> dict[str, str]:
        """The documented variables that send every client here."""
        return {
            "PYENV_REPO_URL": f"{self.url}/pyenv.git",
            "PYTHON_BUILD_MIRROR_URL": f"{self.url}/python",
            "RUSTUP_URL": f"{self.url}/rust/{RUSTUP}",
            "RUSTUP_DIST_SERVER": f"{self.url}/rust",
            "CRATES_INDEX_URL": f"sparse+{self.url}/crates/",
            "FLASH_ATTN_URL": f"{self.url}/flash-attn",
            "GITHUB_URL": f"{self.url}/github",
            "HF_ENDPOINT": f"{self.url}/hub",
            "UV_INDEX_URL": f"{self.url}/simple",
            "PIP_INDEX_URL": f"{self.url}/simple",
            "UV_HTTP_TIMEOUT": "300",
        }

    def sources_list(self) -> str:
        """apt's sources."""
        return "".join(
            f"deb {self.url}/ubuntu jammy{pocket} main universe\n"
            for pocket in ("", "-updates", "-security")
        )

    def fetch(self, room: str, path: str, accept: str) -> Path | None:
        """The upstream's file, from the cache where it is there; None when upstream has none."""
        kind = "json" if "json" in accept and room == "simple" else "any"
        name = hashlib.sha256(f"{room} {path} {kind}".encode()).hexdigest()
        file = self.cache / name
        with self._locks.setdefault(name, threading.Lock()):
            if file.exists():
                return file
            self.cache.mkdir(parents=True, exist_ok=True)
            headers = {"Accept": accept} if room == "simple" and accept else {}
            headers["User-Agent"] = "curl/7.88"
            request = urllib.request.Request(f"{UPSTREAM[room]}/{path}", headers=headers)  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                    with file.with_suffix(".part").open("wb") as target:
                        shutil.copyfileobj(answer, target, 1 << 20)
            except urllib.error.HTTPError:
                return None
            file.with_suffix(".part").rename(file)
            return file


class Server(http.server.ThreadingHTTPServer):
    """A server to which it is no news that a client is killed."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of errors that are our own."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request: found in a room, then served as it is or as a fault wants it."""

    protocol_version = "HTTP/1.1"
    mirror: Mirror

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer from one of the rooms."""
        if not self.mirror.is_up:
            self.close_connection = True
            self.connection.close()
            return
        self.mirror.requests.append(self.path)
        room, _, path = self.path.lstrip("/").partition("/")
        if room in REPOSITORIES:
            self.serve_git()
        elif room in ("python", "flash-attn", "release"):
            self.serve_file(self.mirror.local / room / path)
        elif room == "hub":
            self.serve_hub(path)
        elif room in UPSTREAM:
            self.serve_upstream(room, path)
        else:
            self.answer(404, b"")

    def do_POST(self) -> None:
        """git's second request."""
        self.mirror.requests.append(self.path)
        if self.mirror.is_up and self.path.split("/")[1] in REPOSITORIES:
            self.serve_git()
        else:
            self.answer(404, b"")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a small answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self) -> str:
        """The kind of fault that this request meets, or nothing."""
        for fault in self.mirror.faults:
            if re.search(fault.path, self.path):
                return fault.kind
        return ""

    def serve_upstream(self, room: str, path: str) -> None:
        """What the real host answers, with addresses that lead back here."""
        accept = self.headers.get("Accept", "")
        try:
            file = self.mirror.fetch(room, path, accept)
        except urllib.error.URLError as error:  # out of reach for a moment: clients ask again
            self.answer(502, str(error).encode())
            return
        if file is None:
            self.answer(404, b"")
        elif room == "simple":
            text = file.read_text().replace(UPSTREAM["files"], f"{self.mirror.url}/files")
            json_page = text.startswith("{")
            kind = "application/vnd.pypi.simple.v1+json" if json_page else "text/html"
            self.answer(200, text.encode(), {"Content-Type": kind})
        elif room == "crates" and path == "config.json":
            self.answer(200, json.dumps({"dl": f"{self.mirror.url}/crate-files"}).encode())
        else:
            self.serve_file(file)

    def serve_file(self, file: Path, headers: dict[str, str] | None = None) -> None:
        """A file, or the part of it that is asked for; cut off or spoilt where a fault says so."""
        if not file.is_file():
            self.answer(404, b"")
            return
        size, start, end = file.stat().st_size, 0, file.stat().st_size
        kind = self.fault()
        if kind == "missing":
            self.answer(404, b"")
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted:
            start = int(wanted[1])
            end = min(size, int(wanted[2]) + 1) if wanted[2] else size
        if wanted and start >= size:
            self.answer(416, b"", {"Content-Range": f"bytes */{size}"})
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = start + (end - start) // 2 if kind == "truncate" else end
        try:
            self.send_part(file, start, stop, spoil=kind == "corrupt")
        except OSError:
            self.close_connection = True
        if stop < end:
            self.close_connection = True

    def send_part(self, file: Path, start: int, stop: int, *, spoil: bool) -> None:
        """Send the bytes from start to stop, the last of them changed when it is to be spoilt."""
        with file.open("rb") as source:
            source.seek(start)
            while start < stop and self.mirror.is_up:
                block = source.read(min(1 << 20, stop - start))
                start += len(block)
                if spoil and start == stop:
                    block = block[:-1] + bytes([block[-1] ^ 1])
                self.wfile.write(block)
        if start < stop:
            raise ConnectionAbortedError

    def serve_git(self) -> None:
        """A repository, by git's own server."""
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.mirror.local),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        answer = subprocess.run(
            ["git", "http-backend"],
            input=self.rfile.read(length),
            env=environment,
            capture_output=True,
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(fields.pop("Status", "200").split()[0])
        kind = self.fault()
        if kind == "corrupt" and "upload-pack" in path and self.command == "POST":
            body = body[: len(body) // 2] + b"\x00" + body[len(body) // 2 + 1 :]
        if kind == "truncate" and self.command == "POST":
            fields["Content-Length"] = str(len(body))
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.answer(status, body, fields)

    def serve_hub(self, path: str) -> None:
        """What the model hub answers."""
        answer = self.mirror.hub.answer(path, self.headers.get("Authorization", ""))
        if answer.file is not None:
            self.serve_file(answer.file, answer.headers)
        else:
            self.answer(answer.status, answer.body, answer.headers)
