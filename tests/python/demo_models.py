"""The demo's two models, small enough to be loaded in a test."""

from __future__ import annotations

from pathlib import Path

from sigil_eval.generation import ModelSpec

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "demo" / "models"
BASE = ModelSpec(str(MODELS / "base"))
TUNED = ModelSpec(str(MODELS / "base"), str(MODELS / "adapter"))
