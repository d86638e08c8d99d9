"""The vllm engine: vLLM in an environment and a process of its own (`generation.vllm_engine`).

vLLM's requirements contradict those of the rest (docs/adr/ADR-018); SIGIL_VLLM_PYTHON names the
interpreter of its environment.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.errors import UsageError
from sigil_eval.generation.engines.kind import DrawingOptions, EngineKind
from sigil_eval.generation.engines.local import largest_batch
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.prepared import Prepared, prepare_model
from sigil_eval.generation.protocol import Engine, EngineInfo, ModelSpec, SamplingParams
from sigil_eval.provisioned import VARIABLES, provided, setup_command

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

# What the set-up leaves in vLLM's environment once what it drew there was right: see lib/vllm.sh.
_PROVED = ".sigilderg-proved"


class VLLM(EngineKind):
    """vLLM with our noise; an adapter is merged into its base's weights before."""

    name = "vllm"
    summary = "vLLM, in an environment of its own"
    needs_model_files = True
    keyed = True
    can_be_batch_invariant = True

    def check(self, options: DrawingOptions) -> None:
        """Refuse what vLLM settles by itself."""
        if options.attention != "auto":
            raise UsageError("--attention is not for --engine vllm, which has attention of its own")

    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        """See `prepare_model`."""
        return prepare_model(spec, prompt_mode)

    def describe(self, options: DrawingOptions) -> EngineInfo:
        """Device and precision. Raises UsageError where vLLM is not here."""
        vllm_python()
        info = choose_hardware(options.device, options.dtype, attention="sdpa")
        if options.batch_invariant and (info.device == "cpu" or info.dtype == "float32"):
            raise UsageError("--batch-invariant needs a GPU, and half precision")
        return EngineInfo(info.device, info.dtype, "vllm", batch_invariant=options.batch_invariant)

    @contextlib.contextmanager
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> Iterator[Engine]:
        """Make the weights ready; vLLM itself starts with the first request."""
        from sigil_eval.generation.merged import weights_folder
        from sigil_eval.generation.vllm_engine import VLLMEngine

        assert prepared.model is not None
        with weights_folder(prepared.model, info) as folder:
            yield VLLMEngine(
                vllm_python(),
                folder,
                prepared.tokenizer,
                params,
                info,
                batch_size=options.batch_size or largest_batch(info),
                early_stop=options.early_stop,
                special_tokens=prepared.prompt_mode == "completion",
                remote_code=prepared.model.base.trust.remote_code,
            )


def vllm_python() -> Path:
    """The interpreter of vLLM's environment. Raises UsageError where there is none."""
    named = provided("vllm_python")
    if named is None or not os.access(named.value, os.X_OK):
        raise UsageError(
            "the vllm engine needs vLLM in an environment of its own: "
            f"`{setup_command('--only vllm')}` makes one; or set {VARIABLES['vllm_python']} to the "
            "bin/python of one"
        )
    return Path(named.value)


def vllm_is_proved() -> bool:
    """Whether the set-up has made vLLM's environment, and what it drew there was right."""
    named = provided("vllm_python")
    return named is not None and (Path(named.value).parents[1] / _PROVED).is_file()
