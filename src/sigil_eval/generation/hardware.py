"""What a model is computed on: device, precision and attention."""

from __future__ import annotations

import functools
import importlib.util

from sigil_eval.console import warn
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.settings import DTYPE, QUANTIZATION


def choose_hardware(
    device: str,
    dtype: str,
    quantization: str = "none",
    *,
    merge: bool = True,
    attention: str = "auto",
) -> EngineInfo:
    """Device, precision and attention: a GPU with bfloat16 and flash attention where there are.

    An adapter is merged unless `merge` is False or the base is quantized: four bits hold no
    merged weights. Raises UsageError for what this machine or this program lacks.
    """
    import torch

    if dtype not in DTYPE.choices:
        raise UsageError(f"unknown dtype '{dtype}'; choose one of {', '.join(DTYPE.choices)}")
    if quantization not in QUANTIZATION.choices:
        choices = ", ".join(QUANTIZATION.choices)
        raise UsageError(f"unknown quantization '{quantization}'; choose one of {choices}")
    cuda = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if cuda else "cpu"
    kind = device.split(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"unknown device '{device}'; use auto, cpu, cuda or cuda:N")
    if kind == "cuda" and not cuda:
        raise UsageError(
            "--device cuda, but torch sees no GPU; check `nvidia-smi`, or use --device cpu"
        )
    if dtype == "auto":
        dtype = "bfloat16" if kind == "cuda" else "float32"
    adapters = "merged" if merge and quantization == "none" else "unmerged"
    if attention != "sdpa":
        fault = why_no_flash_attention(device, dtype)
        if attention != "auto" and fault:
            raise UsageError(f"--attention {attention}: {fault}; use --attention sdpa")
        attention = "sdpa" if fault else "flash_attention_2"
    return EngineInfo(device, dtype, attention, quantization, adapters)


@functools.cache
def why_no_flash_attention(device: str, dtype: str) -> str:
    """Why attention has to be computed by torch itself; empty where flash-attn is here and right.

    It is asked as generation will ask: transformers loads it, which takes more than `import
    flash_attn`, and the kernel that reads slots runs on the device. A package that is here and
    does not work is worth a warning: generation will be slower than its owner thinks.
    """
    import torch

    if not device.startswith("cuda") or dtype == "float32":
        return "flash attention needs a GPU and half precision"
    if importlib.util.find_spec("flash_attn") is None:
        return "flash-attn is not installed"
    from transformers.modeling_flash_attention_utils import lazy_import_flash_attention

    from sigil_eval.generation.attention import FLASH, check_attention_to_slots

    try:
        lazy_import_flash_attention(FLASH)
        check_attention_to_slots(device, getattr(torch, dtype))
    except (ImportError, ValueError, PreflightError) as error:
        warn(f"flash-attn is installed and not used: {error}")
        return f"flash-attn does not work: {error}"
    return ""
