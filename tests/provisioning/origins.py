"""Compare the pins of docs/pins.md with their origins, as far as this machine reaches them.

Usage: origins.py     a line for each pin; fails if one is not what its origin has
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "pins.md"
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
HUB = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
OUT_OF_REACH = (urllib.error.URLError, TimeoutError, ConnectionError)


def read(url: str) -> bytes:
    """What an address gives."""
    request = urllib.request.Request(url, headers={"User-Agent": "curl/7.88"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


def of_git(url: str, ref: str) -> str:
    """The commits and names that a repository has for a tag, or a commit if it gives that."""
    git = ["git", "-c", "credential.helper="]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    asked = subprocess.run(
        [*git, "ls-remote", url, ref, f"{ref}^{{}}"],
        env=environment,
        capture_output=True,
        text=True,
    )
    if asked.returncode:
        raise ConnectionError(asked.stderr)
    if not re.fullmatch("[0-9a-f]{40}", ref):
        return asked.stdout
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*git, "init", "-q", "--bare", folder], check=True)
        fetch = [*git, "-C", folder, "fetch", "-q", "--depth", "1", url, ref]
        return ref if subprocess.run(fetch, env=environment).returncode == 0 else "no such commit"


def of_file(url: str) -> str:
    """A file's own address and sha256."""
    return f"{url} {hashlib.sha256(read(url)).hexdigest()}"


def of_manifest(url: str) -> str:
    """The versions in a Rust release's manifest."""
    return " ".join(f"rustc {version}" for version in re.findall('"(.*)"', read(url).decode()))


def of_pypi(package: str) -> str:
    """The names and hashes of a package's files."""
    return read(f"{INDEX}/{package}/").decode()


def of_hub(repository: str) -> str:
    """The repository's own page: a gated one has one, too, and a renamed one leads to another."""
    return f"{repository} {read(f'{HUB}/api/models/{repository}').decode()}"


KINDS = {"git": of_git, "file": of_file, "manifest": of_manifest, "pypi": of_pypi, "hub": of_hub}


def wanted(value: str) -> str:
    """What of a pin the origin has to name: of a source its ref, of a model its repository."""
    value = value.partition("@")[2] or value
    return "/".join(value.split("/")[:2]) if value.count("/") == 2 and ":" not in value else value


def main() -> int:
    """Print how each pin compares; 1 when one differs."""
    rows = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \| `([^`|]+)` \|", PAGE.read_text(), re.MULTILINE)
    wrong = 0
    for name, value, origin in rows:
        kind, *arguments = origin.split()
        try:
            verdict = "as pinned" if wanted(value) in KINDS[kind](*arguments) else "DIFFERS"
        except OUT_OF_REACH as error:
            gone = isinstance(error, urllib.error.HTTPError) and error.code in (404, 410)
            verdict = "DIFFERS" if gone else "out of reach"
        wrong += verdict == "DIFFERS"
        print(f"{verdict:13} {name.strip('`')} {value}", flush=True)
    print(f"{len(rows)} pins, {wrong} not as their origins have them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
