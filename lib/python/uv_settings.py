"""Print what uv.toml files say of the way to the packages, as one; the first file counts most.

Usage: uv_settings.py FILE...

Where packages come from and how the network is reached is the machine's business. What else stands
there (constraints, targets, another Python ...) is meant for its owner's own installations.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

WAY = (
    "index",
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "keyring-provider",
    "allow-insecure-host",
    "native-tls",
    "system-certs",
    "offline",
    "http-proxy",
    "https-proxy",
    "no-proxy",
)


def written(value: Any) -> str:
    """A value as TOML: JSON, but for tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def main() -> None:
    """Print the settings of the named files."""
    kept: dict[str, Any] = {}
    for file in reversed(sys.argv[1:]):
        settings = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        for table in (settings, settings.get("pip", {})):
            kept |= {key: table[key] for key in WAY if key in table}
    for key, value in kept.items():
        print(key, "=", written(value))


if __name__ == "__main__":
    main()
