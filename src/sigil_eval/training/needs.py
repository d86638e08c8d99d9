"""The libraries that a training needs, none of which this package's base install brings."""

from __future__ import annotations

import importlib.util

from sigil_eval.errors import PreflightError
from sigil_eval.training.configuration import Configuration

LIBRARIES = ("torch", "transformers", "accelerate", "peft", "datasets", "trl")


def check_libraries(told: Configuration) -> None:
    """Raises PreflightError naming what is missing, and how it is installed."""
    wanted = list(LIBRARIES)
    if (
        told.bnb_4bit is not None
        or "8bit" in told.train.optimizer
        or "paged" in told.train.optimizer
    ):
        wanted.append("bitsandbytes")
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise PreflightError(
            f"`sigil-eval train` needs {', '.join(missing)}, which is not installed here; "
            "`pip install '.[train]'` in the checkout brings all that it needs"
        )
    backend = told.train.log_backend
    if backend != "none" and importlib.util.find_spec(backend) is None:
        raise PreflightError(
            f"train.log_backend: {backend} is not installed; `pip install {backend}`, or take the "
            "key out: training.json has the loss curve"
        )
