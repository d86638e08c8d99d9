"""A model hub, as clients of Hugging Face's see it: gated repositories, revisions, large files.

What it answers follows the real hub: a gated repository's page is there for everybody, and of its
files README.md alone; without a token they are 401, with one that has no access 403, and both are
explained in X-Error-Code and X-Error-Message. Large files are on another host, where the address is
the right to read, and a token is one too many.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import sha256_of

LARGE = re.compile(r"\.(safetensors|bin|pth|pt|model)$")
OPEN_TO_ALL = ("README.md", ".gitattributes")


@dataclass
class Answer:
    """What the hub says: a body, or a file that is served as any other."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None


@dataclass
class Hub:
    """`folder` holds ORG/NAME; `tokens` says of each which gated repositories it may read."""

    folder: Path
    elsewhere: str = ""  # where large files are
    gated: set[str] = field(default_factory=set)
    tokens: dict[str, set[str]] = field(default_factory=dict)

    def answer(self, path: str, authorization: str) -> Answer:
        """To `api/whoami-v2`, `api/models/ORG/NAME[/(revision|tree)/REV]`, or
        `ORG/NAME/resolve/REV/FILE`, or `large/SHA256/ORG/NAME/FILE`, where large files are."""
        path, _, query = path.partition("?")
        large = re.fullmatch(r"large/([0-9a-f]{64})/([^/]+/[^/]+)/(.+)", path)
        if large:
            if authorization:
                return Answer(400, body=b"Only one auth mechanism allowed")
            return Answer(200, {"ETag": f'"{large[1]}"'}, file=self.folder / large[2] / large[3])
        token = authorization.removeprefix("Bearer ")
        if authorization and token not in self.tokens:
            return refusal(401, "", "Invalid credentials in Authorization header")
        if path == "api/whoami-v2":
            if not token:
                return refusal(401, "", "Invalid username or password.")
            return Answer(200, body=json.dumps({"type": "user", "name": "somebody"}).encode())
        page = re.fullmatch(r"api/models/([^/]+/[^/]+)(?:/(?:revision|tree)/([^/]+))?", path)
        found = page or re.fullmatch(r"([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if not found or not (self.folder / found[1]).is_dir():
            # To strangers the hub does not tell what is private from what is not there.
            return refusal(404 if token else 401, "RepoNotFound", "Repository not found")
        name, revision = found[1], found[2]
        if revision not in (None, "main", self.revision(name)):
            return refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if page:
            return self.tree(name) if "/tree/" in path else self.page(name, "blobs" in query)
        if name in self.gated and found[3] not in OPEN_TO_ALL and (gate := self.gate(name, token)):
            return gate
        return self.file(name, found[3])

    def gate(self, name: str, token: str) -> Answer | None:
        """To whoever has not accepted the licence; None for those who have."""
        if not token:
            return refusal(
                401,
                "GatedRepo",
                f"Access to model {name} is restricted. You must have access to it and be "
                "authenticated to access it. Please log in.",
            )
        if name not in self.tokens[token]:
            return refusal(
                403,
                "GatedRepo",
                f"Access to model {name} is restricted and you are not in the authorized list. "
                f"Visit https://huggingface.co/{name} to ask for access.",
            )
        return None

    def revision(self, name: str) -> str:
        """The commit of a repository."""
        digest = hashlib.sha1(name.encode(), usedforsecurity=False)
        for path in sorted((self.folder / name).rglob("*")):
            digest.update(f"{path.relative_to(self.folder)} {path.stat().st_size}".encode())
        return digest.hexdigest()

    def page(self, name: str, with_blobs: bool) -> Answer:
        """A repository's page; on demand with what its files are by size and hash."""
        siblings = []
        for row in self.rows(name):
            sibling = {"rfilename": row["path"]}
            if with_blobs:
                sibling |= {"size": row["size"], "blobId": row["oid"]}
            if with_blobs and "lfs" in row:
                large = row["lfs"]
                sibling["lfs"] = {"sha256": large["oid"], "size": large["size"]}
            siblings.append(sibling)
        content = {
            "id": name,
            "sha": self.revision(name),
            "private": False,
            "gated": "manual" if name in self.gated else False,
            "siblings": siblings,
        }
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def tree(self, name: str) -> Answer:
        """The list of a repository's files."""
        return Answer(
            200, {"Content-Type": "application/json"}, json.dumps(self.rows(name)).encode()
        )

    def rows(self, name: str) -> list[dict[str, Any]]:
        """What the hub knows of each file."""
        rows = []
        for path in sorted(f for f in (self.folder / name).rglob("*") if f.is_file()):
            file = str(path.relative_to(self.folder / name))
            size = path.stat().st_size
            row = {"type": "file", "path": file, "size": size, "oid": blob_of(path)}
            if LARGE.search(file):
                row["lfs"] = {"oid": sha256_of(path), "size": size, "pointerSize": 134}
            rows.append(row)
        return rows

    def file(self, name: str, file: str) -> Answer:
        """One file at the newest revision."""
        path = self.folder / name / file
        headers = {"X-Repo-Commit": self.revision(name)}
        if not path.is_file():
            return refusal(404, "EntryNotFound", "Entry not found", headers)
        if not LARGE.search(file):
            return Answer(200, {**headers, "ETag": f'"{blob_of(path)}"'}, file=path)
        sha256 = sha256_of(path)
        headers |= {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(path.stat().st_size)}
        return Answer(
            302, {**headers, "Location": f"{self.elsewhere}/large/{sha256}/{name}/{file}"}
        )


def blob_of(path: Path) -> str:
    """A file's name in git."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An error as the hub words it."""
    told = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
    return Answer(status, {**(headers or {}), **told}, json.dumps({"error": message}).encode())
