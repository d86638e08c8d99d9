"""Every pin in the code is listed in docs/pins.md, with the value that its origin has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pins.md").read_text()

# Settings that name something outside. The others are ours.
NAMES_AN_ORIGIN = re.compile(
    r"\w+_(VERSION|TAG|COMMIT|SHA256|URL|SOURCE|WHEEL|SERVER|BUILD|ENDPOINT)"
    r"|BASE_MODEL|CHECKPOINT_PATH|LOCKED_PYTHON"
)
CODE = ("*.sh", "*.py", "*.yaml", "*.toml", "*.in")
HASH = re.compile(r"\b(?:[0-9a-f]{40}|[0-9a-f]{64})\b")
HOST = re.compile(r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b")


def listed() -> dict[str, str]:
    """The table's values by name."""
    rows = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \|", PAGE, re.MULTILINE)
    values = {name.strip("`"): value for name, value in rows}
    assert len(values) == len(rows) > 20, "a name is listed twice, or the table is not read"
    return values


def settings() -> dict[str, str]:
    """The settings of eval_setup_config.sh that name something outside, as the target gets them."""
    script = (
        "before=$(compgen -v); source eval_setup_config.sh; for name in $(compgen -v); do"
        ' [[ " $before " == *"\n$name\n"* ]] || printf "%s=%s\\n" "$name" "${!name}"; done'
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody", "ROOT": str(ROOT)}
    answer = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    found = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    return {
        name: value
        for name, value in found.items()
        if value and NAMES_AN_ORIGIN.fullmatch(name) and not name.startswith("BASH")
    }


def code() -> dict[str, str]:
    """The text of every file by name; the tests of units make up hashes of their own."""
    answer = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *CODE],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in answer.stdout.splitlines() if not name.startswith("tests/python/")]
    return {name: (ROOT / name).read_text() for name in names if (ROOT / name).is_file()}


def test_settings_are_found() -> None:
    """The comparison below is not one of nothing."""
    found = settings()
    assert len(found) > 20
    assert {"PYENV_COMMIT", "FLASH_ATTN_SHA256", "RUSTUP_SHA256", "BASE_MODEL"} <= found.keys()


def test_every_setting_is_as_its_origin_has_it() -> None:
    """A pin that is not listed fails, and so does one that differs."""
    assert {name: listed().get(name) for name in settings()} == settings()


def test_every_hash_in_the_code_is_listed() -> None:
    """Checksums and commits stand in more places than the settings."""
    unlisted = {
        f"{name}: {found}"
        for name, text in code().items()
        for found in HASH.findall(text)
        if not any(found in value for value in listed().values()) and set(found) != {"0"}
    }
    assert not unlisted


def test_every_host_in_the_code_is_listed() -> None:
    """So that no address is used that nobody has thought about."""
    hosts = set(re.findall(r"`([a-z0-9.-]+)`", PAGE.partition("## Hosts")[2]))
    found = {host for text in code().values() for host in HOST.findall(text)}
    assert found == hosts


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda f: f.name
)
def test_a_lock_has_what_was_asked_for(lock: Path) -> None:
    """A lock that is older than its requirements pins something else."""
    wanted = re.findall(
        r"^([a-z0-9-]+==[^\s;]+)", lock.with_suffix(".in").read_text(), re.MULTILINE
    )
    locked = set(re.findall(r"^([a-z0-9-]+==[^\s;]+)", lock.read_text(), re.MULTILINE))
    assert set(wanted) <= locked
