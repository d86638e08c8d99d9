"""Prove that the engine hf computes on this device what the model is.

The engine reads prompts and draws tokens as it does in an evaluation; then the same tokens are read
at one go, by plain attention in float32, which gives what every logit should have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from sigil_eval.errors import PreflightError
from sigil_eval.generation.continuous import HFEngine
from sigil_eval.generation.loading import load_tokenizer
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.pool import load_model
from sigil_eval.generation.protocol import EngineInfo, Request, SamplingParams

# Prompts of unequal lengths, so that slots are filled to unequal lengths.
_PROMPTS = (
    "fn one() -> i32 {",
    "/// The sum of two numbers.\nfn add(left: i32, right: i32) -> i32 {\n",
    "use std::collections::HashMap;\n\n/// How often each word stands in a text.\n"
    "fn count(text: &str) -> HashMap<&str, usize> {\n    let mut counts = HashMap::new();\n",
)
_TOKENS = 12

# The engine's logits may be this many times further off than those of plain attention in the same
# precision, since both round, each in its own order; and by so much where those are not off at all.
_FACTOR, _SLACK = 3.0, 1e-4


@dataclass(frozen=True)
class EngineProof:
    """The largest error of a logit, against float32: the engine's, and plain attention's in the
    engine's own precision. `steps` counts the forward passes that were compared."""

    info: EngineInfo
    steps: int
    engine_error: float
    plain_error: float

    @property
    def holds(self) -> bool:
        """Whether the engine is as right as its precision allows."""
        return self.engine_error <= _FACTOR * self.plain_error + _SLACK

    def __str__(self) -> str:
        return (
            f"{self.info.attention} on {self.info.device} in {self.info.dtype}: {self.steps} steps "
            f"of the engine, logits within {self.engine_error:.3g} of float32 (plain attention in "
            f"{self.info.dtype}: {self.plain_error:.3g})"
        )


Step = tuple[tuple[int, ...], torch.Tensor]
"""Tokens that were read, and the logits (vocabulary,) after them, in float32 on the host."""


class _WatchedEngine(HFEngine):
    """The engine, with a record of every logits that it draws from."""

    steps: list[Step]

    def _prefill(self, prompt: tuple[int, ...]) -> Any:
        prefilled = super()._prefill(prompt)
        self.steps.append((prompt, prefilled.logits[0].float().cpu()))
        return prefilled

    def _forward(self, batch: Any) -> torch.Tensor:
        # The token that a draft was given last is not read yet when the next step begins.
        read = [
            draft and (*draft.prompt, *draft.drawn, token)
            for draft, token in zip(batch.drafts, batch.tokens.tolist(), strict=True)
        ]
        logits = super()._forward(batch)
        self.steps += [
            (tokens, row) for tokens, row in zip(read, logits.float().cpu(), strict=True) if tokens
        ]
        return logits


def prove_engine(model: ResolvedModel, info: EngineInfo) -> EngineProof:
    """Draw a few tokens with a model, and compare the logits of each step with float32's.

    Raises PreflightError when a step is further off than rounding can explain.
    """
    steps = _steps(model, info)
    plain = replace(info, attention="sdpa")
    exact = _read_at_one_go(model, replace(plain, dtype="float32"), steps)
    proof = EngineProof(
        info,
        len(steps),
        _furthest([logits for _, logits in steps], exact),
        _furthest(_read_at_one_go(model, plain, steps), exact),
    )
    if not proof.holds:
        raise PreflightError(f"the engine computes something else than the model: {proof}")
    return proof


def _steps(model: ResolvedModel, info: EngineInfo) -> list[Step]:
    """What the engine saw while it answered the prompts."""
    params = SamplingParams(temperature=0.0, max_new_tokens=_TOKENS)
    engine = _WatchedEngine(
        load_model(model, info),
        load_tokenizer(model),
        params,
        info,
        batch_size=len(_PROMPTS),
        early_stop=False,
    )
    engine.steps = []
    requests = [Request(f"proof/{i}", 0, prompt, prompt, i) for i, prompt in enumerate(_PROMPTS)]
    engine.generate(requests, lambda sample: None)
    return engine.steps


@torch.inference_mode()
def _read_at_one_go(model: ResolvedModel, info: EngineInfo, steps: Sequence[Step]) -> Any:
    """The logits after each step's tokens, by plain attention without a cache."""
    loaded = load_model(model, info)
    return [
        loaded(torch.tensor([tokens], device=info.device)).logits[0, -1].float().cpu()
        for tokens, _ in steps
    ]


def _furthest(found: Sequence[torch.Tensor], exact: Sequence[torch.Tensor]) -> float:
    """The largest error of a logit."""
    return max(float((one - two).abs().max()) for one, two in zip(found, exact, strict=True))
