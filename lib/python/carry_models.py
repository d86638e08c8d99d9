"""Bring hub models into a folder laid out as the hub's cache, to be carried to another machine.

Usage: carry_models.py FOLDER MODEL...

It needs nothing but Python 3.8, because where it runs nothing is installed. HF_ENDPOINT and
HF_TOKEN, which may be empty, are those of the environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

ENDPOINT = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
TOKEN = os.environ.get("HF_TOKEN", "")
WANTED = (".json", ".safetensors", ".model", ".jinja", ".txt")


def ask(path: str, start: int = 0):
    """Open an address of the hub, from byte `start` on."""
    request = urllib.request.Request(f"{ENDPOINT}/{path}")  # noqa: S310 - the user names it
    if TOKEN:
        # Not handed on to the servers that the hub redirects to.
        request.add_unredirected_header("Authorization", f"Bearer {TOKEN}")
    if start:
        request.add_header("Range", f"bytes={start}-")
    return urllib.request.urlopen(request, timeout=60)  # noqa: S310


def carry(address: str, sha256: str | None, size: int | None, target: Path) -> None:
    """Fetch a file, going on where an earlier attempt broke off; fails when it is not the hub's."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    start = part.stat().st_size if part.exists() else 0
    if start and start == size:
        start = 0
    with ask(address, start) as answer, part.open("ab" if answer.status == 206 else "wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
    digest = hashlib.sha256()
    with part.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    if (sha256 and digest.hexdigest() != sha256) or (size and part.stat().st_size != size):
        part.unlink()
        sys.exit(f"{address} did not arrive as the hub describes it; run it again")
    part.rename(target)


def carry_model(cache: Path, model: str) -> None:
    """Fetch the files of ORG/NAME[/FOLDER] that an evaluation reads."""
    organisation, name, *folder = model.split("/")
    repository, prefix = f"{organisation}/{name}", "".join(f"{part}/" for part in folder)
    with ask(f"api/models/{repository}?blobs=true") as answer:
        info = json.load(answer)
    place = cache / f"models--{organisation}--{name}"
    for entry in info["siblings"]:
        file = entry["rfilename"]
        rest = file[len(prefix) :]
        if file.startswith(prefix) and "/" not in rest and rest.endswith(WANTED):
            print(f"  {repository}/{file}", flush=True)
            sha256 = (entry.get("lfs") or {}).get("sha256")
            address = f"{repository}/resolve/{info['sha']}/{file}"
            carry(address, sha256, entry.get("size"), place / "snapshots" / info["sha"] / file)
    (place / "refs").mkdir(parents=True, exist_ok=True)
    (place / "refs" / "main").write_text(info["sha"])


def way_out(error: OSError) -> str:
    """What to do about an answer of the hub, or about none."""
    code = error.code if isinstance(error, HTTPError) else 0
    if code in (401, 403):
        return "Is its licence accepted, and HF_TOKEN that account's?"
    if code == 404:
        return "Is that its name? Is it private, and HF_TOKEN not set?"
    if code == 407 or "Tunnel connection failed" in str(error):
        return "That is the proxy's answer: http_proxy and https_proxy name it, and its password."
    if code in (408, 425, 429) or code >= 500:
        return "The hub is busy or down: try again in some minutes, or set HF_ENDPOINT to a mirror."
    return f"Can {ENDPOINT} be reached from here? HF_ENDPOINT names a mirror."


def main() -> None:
    """Carry the named models."""
    cache, *models = sys.argv[1:]
    for model in models:
        try:
            carry_model(Path(cache), model)
        except OSError as error:
            sys.exit(f"{model}: {error}. {way_out(error)}")


if __name__ == "__main__":
    main()
