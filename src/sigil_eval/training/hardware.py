"""What a training is computed on, and what is refused because it would never end there."""

from __future__ import annotations

import os
from typing import Any

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.hardware import choose_hardware, why_no_flash_attention
from sigil_eval.generation.loading import or_explain
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.training.configuration import Configuration

MOST_PARAMETERS_ON_A_CPU = 10**9
# A generous guess of what a core computes in a second, for the reason that is given.
_OPERATIONS_A_CORE = 50e9
_OPERATIONS_A_WEIGHT = 6  # forwards, and twice as many backwards


def hardware_for(told: Configuration, device: str) -> EngineInfo:
    """Device, precision and attention: one GPU, or the CPU, which computes in float32.

    Raises UsageError for what this machine lacks, PreflightError where it is not clear which GPU.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device {device}: a training takes auto, cpu or cuda")
    if device != "cpu" and torch.cuda.device_count() > 1:
        raise PreflightError(
            f"torch sees {torch.cuda.device_count()} GPUs, and a training takes one: choose it, "
            "as in CUDA_VISIBLE_DEVICES=0"
        )
    cuda = device != "cpu" and torch.cuda.is_available()
    dtype = "bfloat16" if cuda and told.train.bf16 else "float32"
    flash = told.train.use_flash_attention
    if flash:
        fault = why_no_flash_attention("cuda" if cuda else "cpu", dtype)
        if fault:
            raise UsageError(
                f"train.use_flash_attention: {fault}; take the key out to train with what there is"
            )
    attention = "sdpa" if flash is False else "auto"
    found = choose_hardware(device, dtype, attention=attention)
    quantization = told.bnb_4bit.quant_type if told.bnb_4bit else "none"
    return EngineInfo(found.device, dtype, found.attention, quantization, "unmerged")


def count_parameters(base: ModelFiles) -> int:
    """How many a model has, by its configuration; no weights are read."""
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM

    def count() -> int:
        trust: dict[str, Any] = {"trust_remote_code": base.trust.remote_code}
        config = AutoConfig.from_pretrained(base.folder, **trust)
        kind: Any = AutoModelForCausalLM
        with init_empty_weights():
            model = kind.from_config(config, **trust)
        model.tie_weights()
        return int(model.num_parameters())

    return or_explain(base.name, count)


def refuse_what_never_ends(told: Configuration, info: EngineInfo, parameters: int) -> None:
    """Raises PreflightError for a large model on a CPU."""
    if info.device != "cpu" or parameters <= MOST_PARAMETERS_ON_A_CPU:
        return
    train = told.train
    tokens = train.micro_batch_size * train.gradient_accumulation * told.max_seq_len
    cores = len(os.sched_getaffinity(0))
    hours = _OPERATIONS_A_WEIGHT * parameters * tokens / (_OPERATIONS_A_CORE * cores) / 3600
    raise PreflightError(
        f"{told.model_name} has {parameters / 1e9:.1f} billion parameters and would be trained on "
        f"a CPU: one of {train.num_steps} steps, of up to {tokens} tokens, would take about "
        f"{hours:.1f} hours on {cores} cores. It takes a GPU; a CPU trains up to "
        f"{MOST_PARAMETERS_ON_A_CPU / 1e9:.0f} billion"
    )


def gpu_name(info: EngineInfo) -> str | None:
    """The GPU's, None of a CPU."""
    if info.device == "cpu":
        return None
    import torch

    return str(torch.cuda.get_device_name())
