"""The base with the adapter that is trained: a new one, or one that an earlier phase left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.loading import FourBits, load_base, or_explain
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.models import ResolvedModel, resolve_model
from sigil_eval.generation.protocol import EngineInfo, ModelSpec
from sigil_eval.training.configuration import Configuration


def find_models(told: Configuration) -> ResolvedModel:
    """The base, and the adapter to go on from, if any.

    Raises UsageError for what is no model, for an adapter of another base, and for one of another
    shape than the configuration's; PreflightError for what cannot be had.
    """
    found = resolve_model(ModelSpec(told.model_name, told.misc.load_from))
    if told.misc.load_from is None and found.adapter is not None:
        raise UsageError(
            f"model_name: {told.model_name} is an adapter; name its base there, and the adapter as "
            "misc.load_from"
        )
    if told.misc.load_from is None:
        return found
    if found.adapter is None:
        raise UsageError(
            f"misc.load_from: {told.misc.load_from} is a whole model, no adapter; name it as "
            "model_name"
        )
    _check_shape(found.adapter, told)
    return found


def _check_shape(adapter: ModelFiles, told: Configuration) -> None:
    config = adapter.config()
    modules = config.get("target_modules")
    said = {
        "lora.r": (told.lora.r, config.get("r")),
        "lora.alpha": (told.lora.alpha, config.get("lora_alpha")),
        "lora.target_modules": (
            sorted(told.lora.target_modules),
            sorted(map(str, modules)) if isinstance(modules, list) else modules,
        ),
    }
    for key, (here, there) in said.items():
        if here != there:
            raise UsageError(
                f"{key} is {here}, and the adapter {adapter.name} (misc.load_from) has {there}; "
                "a phase goes on with the adapter as it is"
            )


def load_trainable(
    model: ResolvedModel, told: Configuration, info: EngineInfo, output: Path
) -> Any:
    """The base on its device, frozen, with the adapter, in float32, to be trained.

    What is saved in a folder of `output` names the base so that it is found from there.
    """
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import set_seed

    four = told.bnb_4bit
    bits = (
        FourBits(four.quant_type, four.use_double_quant, four.compute_dtype) if four else FourBits()
    )
    base = load_base(model.base, info, bits)
    set_seed(told.misc.seed)  # a new adapter's weights are drawn
    if model.adapter is None:
        lora = LoraConfig(
            r=told.lora.r,
            lora_alpha=told.lora.alpha,
            lora_dropout=told.lora.dropout,
            target_modules=list(told.lora.target_modules),
            task_type="CAUSAL_LM",
        )
        made: Any = or_explain(told.model_name, lambda: get_peft_model(base, lora))
    else:
        start = fetch_weights(model.adapter)
        made = or_explain(
            start.name,
            lambda: PeftModel.from_pretrained(base, str(start.folder), is_trainable=True),
        )
    config: Any = made.peft_config["default"]
    config.base_model_name_or_path = name_for_adapter(model.base, output)
    config.lora_dropout = told.lora.dropout
    # A set of words has another order in each process, and so would the file.
    config.target_modules = sorted(told.lora.target_modules)
    return made


def name_for_adapter(base: ModelFiles, output: Path) -> str:
    """What an adapter in a folder of `output` calls its base: a hub id, or the way to a folder."""
    if base.repository is not None:
        return base.name
    return os.path.relpath(base.folder.resolve(), output.resolve() / "checkpoint")
