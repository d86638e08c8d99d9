"""Before anything is installed, the hub's settings are read as the hub's client reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

ROOT = Path(__file__).parents[2]
SHELL = 'source "$ROOT/lib/all.sh"; model_cache; echo; hf_token; echo; hub_is_off && echo off || :'
CLIENT = """
from huggingface_hub import constants, get_token
print(constants.HF_HUB_CACHE, get_token() or "", sep="\\n")
if constants.HF_HUB_OFFLINE: print("off")
"""


def said(command: list[str], environment: dict[str, str]) -> list[str]:
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"XDG_CACHE_HOME": "/x"},
        {"XDG_CACHE_HOME": "~/x", "HF_TOKEN": " hf_a\r\n"},
        {"HF_HOME": "~/own", "HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "\thf_old"},
        {"HF_HOME": "$HOME/own", "HF_TOKEN": " ", "HUGGING_FACE_HUB_TOKEN": "hf_old"},
        {"HF_HOME": "/h/${NONE}/$NONE", "HF_HUB_OFFLINE": "yes"},
        {"HF_HOME": "~root/h", "HF_HUB_OFFLINE": "0"},
        {"HUGGINGFACE_HUB_CACHE": "/legacy", "HF_HOME": "/h", "TRANSFORMERS_OFFLINE": "1"},
        {"HUGGINGFACE_HUB_CACHE": "~/legacy", "HF_HUB_CACHE": "${HOME}x/new"},
        {"HF_TOKEN_PATH": "~/token", "HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "True"},
    ],
    ids=str,
)
def test_the_client_is_understood(settings: dict[str, str], tmp_path: Path) -> None:
    for file in (tmp_path / "token", tmp_path / "own/token", tmp_path / ".cache/huggingface/token"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f" hf_in_{file.parent.name}\r\n".encode())
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "ROOT": str(ROOT)} | settings
    expected = said([sys.executable, "-c", CLIENT], environment)
    assert said(["bash", "-euo", "pipefail", "-c", SHELL], environment) == expected


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "licence"),
        (403, "licence"),
        (404, "name"),
        (407, "proxy"),
        (429, "busy"),
        (503, "busy"),
    ],
)
def test_each_answer_has_its_way_out(
    code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "lib" / "python"))
    import carry_models

    said = carry_models.way_out(HTTPError("url", code, "", None, None))  # type: ignore[arg-type]
    assert words in said
    assert ("licence" in said) == (code in (401, 403))
    assert "reached" in carry_models.way_out(URLError("no route"))
    assert "proxy" in carry_models.way_out(OSError(f"Tunnel connection failed: {code}"))
