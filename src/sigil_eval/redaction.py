"""What of a run may be published: variables that are listed, and nothing like a credential."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

REMOVED = "[removed]"

# What changes a result or helps to repeat it. Nothing else of the environment is recorded.
RECORDED_VARIABLES = (
    "ACCEPTED_DEVIATIONS",
    "BASE_MODEL",
    "CHECKPOINT_PATH",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "HEADLINE",
    "HF_HUB_OFFLINE",
    "K_VALUES",
    "LANG",
    "LC_ALL",
    "NONINTERACTIVE",
    "NUM_SAMPLES",
    "OMP_NUM_THREADS",
    "OUTPUT_DIR",
    "PYTHONHASHSEED",
    "PYTHON_VERSION",
    "PYTORCH_CUDA_ALLOC_CONF",
    "SANDBOX_MODE",
    "SEED",
    "SIGIL_CRATES_DIR",
    "SIGIL_RUSTC",
    "SIGIL_SANDBOX_USER",
    "SKIP_ENV_CHECK",
    "TOKENIZERS_PARALLELISM",
    "TRANSFORMERS_OFFLINE",
    "VENV_DIR",
)

_SECRET_NAME = re.compile(
    # Not "tokens": max_new_tokens is a number that matters.
    r"(^|[_\-.])((api|access|private|secret)[_\-]?key|auth|authorization"
    r"|credentials?|passw(or)?d|passphrase|secret|token)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"hf_[A-Za-z0-9]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{16,}"
    r"|sk-[A-Za-z0-9_\-]{16,}"
    r"|AKIA[A-Z0-9]{16}"
    r"|(?<=://)[^/\s@]+(?=@)"
)


def scrub(value: Any, name: str = "") -> Any:
    """`value` as plain JSON data, without what looks like a credential by name or by form."""
    if isinstance(value, Mapping):
        return {str(key): scrub(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _scrub_list(value)
    if _SECRET_NAME.search(name) and value not in (None, "", False, True):
        return REMOVED
    if value is None or isinstance(value, bool | int | float):
        return value
    return _SECRET_VALUE.sub(REMOVED, str(value))


def _scrub_list(values: Iterable[Any]) -> list[Any]:
    """A list, where `--token X` and `--token=X` lose their X."""
    clean: list[Any] = []
    name = ""
    for value in values:
        option, equals, _ = str(value).partition("=")
        if equals and _SECRET_NAME.search(option):
            clean.append(f"{option}={REMOVED}")
        else:
            clean.append(scrub(value, name))
        name = str(value) if str(value).startswith("--") else ""
    return clean


def recorded_environment() -> dict[str, str]:
    """The variables of RECORDED_VARIABLES that are set here."""
    return {name: str(scrub(os.environ[name])) for name in RECORDED_VARIABLES if name in os.environ}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that have nothing like a credential in them."""
    return {name: value for name, value in environment.items() if scrub(value, name) == value}
