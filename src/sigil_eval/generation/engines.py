"""Which engines there are, what each needs, and how one is started."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sigil_eval.errors import UsageError
from sigil_eval.generation.protocol import Engine, EngineInfo, SamplingParams
from sigil_eval.generation.source import ResolvedModel

if TYPE_CHECKING:
    from sigil_eval.generation.loading import ModelPool

ENGINES = ("hf", "hf-static", "vllm", "openai", "replay")
LOADS_WEIGHTS = ("hf", "hf-static")
NEEDS_MODEL_FILES = (*LOADS_WEIGHTS, "vllm")
_BATCH_SIZES = {"cpu": 64, "cuda": 512, "server": 64, "none": 1}
# Of the memory that is free once the weights are loaded, what the slots may take.
_SHARE_FOR_SLOTS = 0.8


@dataclass(frozen=True)
class EngineOptions:
    """How samples are drawn, as asked for.

    What they say depends on `dtype`, `quantization`, `merge` and `early_stop`, which are compared
    on resume. `batch_size` None is what fits; `device` may be a list, with commas between.
    `base_url` is the address of the openai engine's server.
    """

    engine: str = "hf"
    batch_size: int | None = None
    device: str = "auto"
    dtype: str = "auto"
    quantization: str = "none"
    merge: bool = True
    attention: str = "auto"
    early_stop: bool = True
    base_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse what does not exist."""
        if self.engine not in ENGINES:
            raise UsageError(f"unknown engine '{self.engine}'; choose one of {', '.join(ENGINES)}")
        if self.batch_size is not None and self.batch_size < 1:
            raise UsageError("--batch-size must be at least 1")
        if (self.engine == "openai") != (self.base_url is not None):
            raise UsageError("--base-url is for --engine openai, which needs it")
        if self.base_url is not None:
            from sigil_eval.generation.openai import check_url

            check_url(self.base_url)
        if self.engine not in LOADS_WEIGHTS and (self.quantization != "none" or not self.merge):
            raise UsageError(
                f"--quantize and --unmerged are for --engine hf and hf-static, not {self.engine}"
            )


@dataclass(frozen=True)
class Prepared:
    """A model found, its tokenizer, and how its prompts are put; None where a server has them.

    `name` is the model as it was asked for.
    """

    name: str
    mode: str
    model: ResolvedModel | None = None
    tokenizer: Any = field(default=None, repr=False)


def describe_engine(options: EngineOptions) -> EngineInfo:
    """What an engine will run on. Raises UsageError for what this machine does not have."""
    if options.engine == "replay":
        return EngineInfo("none", "none", "none")
    if options.engine == "openai":
        return EngineInfo("server", "server", "server")
    from sigil_eval.generation.loading import choose_hardware

    info = choose_hardware(
        options.device,
        options.dtype,
        options.quantization,
        merge=options.merge,
        attention=options.attention,
    )
    if options.engine == "vllm":
        return EngineInfo(info.device, info.dtype, "vllm", adapters="unmerged")
    return info


@contextlib.contextmanager
def start_engine(
    prepared: Prepared,
    params: SamplingParams,
    options: EngineOptions,
    info: EngineInfo,
    models: ModelPool | None = None,
) -> Iterator[Engine]:
    """An engine that is ready to draw; models come from `models` where it is given."""
    size = options.batch_size or _BATCH_SIZES[info.device.partition(":")[0]]
    if options.engine == "replay":
        from sigil_eval.generation.replay import ReplayEngine

        yield ReplayEngine(Path(prepared.name))
    elif options.engine == "openai":
        from sigil_eval.generation.openai import OpenAIEngine

        yield OpenAIEngine(
            options.base_url or "",
            prepared.name,
            params,
            chat=prepared.mode == "chat",
            early_stop=options.early_stop,
            concurrency=size,
        )
    elif options.engine == "vllm":
        from sigil_eval.generation.vllm import vllm_engine

        assert prepared.model is not None
        with vllm_engine(
            prepared.model, params, info, batch_size=size, early_stop=options.early_stop
        ) as engine:
            yield engine
    else:
        try:
            yield _transformers_engine(prepared, params, options, info, models)
        finally:
            _give_back_memory(info)


def _transformers_engine(
    prepared: Prepared,
    params: SamplingParams,
    options: EngineOptions,
    info: EngineInfo,
    models: ModelPool | None,
) -> Engine:
    from sigil_eval.generation.hf import HFEngine
    from sigil_eval.generation.hf_static import HFStaticEngine
    from sigil_eval.generation.loading import ModelPool

    assert prepared.model is not None
    loaded = (models or ModelPool()).borrow(prepared.model, info)
    kind = HFEngine if options.engine == "hf" else HFStaticEngine
    return kind(
        loaded,
        prepared.tokenizer,
        params,
        info,
        batch_size=options.batch_size or fitting_batch(loaded, params, info),
        early_stop=options.early_stop,
        special_tokens=prepared.mode == "completion",
    )


def fitting_batch(model: Any, params: SamplingParams, info: EngineInfo) -> int:
    """How many answers to have under way: what the device's memory holds, were each prompt and
    answer as long as they may be; an answer seldom is, and running out only halves it."""
    kind = info.device.partition(":")[0]
    if kind == "cpu":
        return _BATCH_SIZES[kind]
    from sigil_eval.generation.attention import attention_shape

    _, heads, size = attention_shape(model)
    layers = model.config.get_text_config().num_hidden_layers
    bytes_per_token = 2 * layers * heads * size * model.dtype.itemsize
    tokens = params.max_new_tokens + 512
    fitting = int(_SHARE_FOR_SLOTS * _free_memory(info.device) / (bytes_per_token * tokens))
    return max(1, min(_BATCH_SIZES[kind], fitting))


def _free_memory(device: str) -> int:
    """Bytes of a GPU that can be had: what the driver calls free, and what torch's allocator keeps
    for later without anything in it, such as the slots of the model before."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _give_back_memory(info: EngineInfo) -> None:
    """Let the driver have what torch keeps of a GPU's memory for later."""
    if info.device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
