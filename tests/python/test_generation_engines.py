"""Engines against the oracle, token by token, and what they say of a device that is not fit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import transformers.modeling_flash_attention_utils as transformers_utils  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from demo_models import BASE, MODELS, ROOT, TUNED  # noqa: E402
from sigil_eval.console import ProgressLine  # noqa: E402
from sigil_eval.errors import PreflightError, UsageError  # noqa: E402
from sigil_eval.generation import (  # noqa: E402
    EngineOptions,
    ModelSpec,
    SamplingParams,
)
from sigil_eval.generation.attention import FLASH  # noqa: E402
from sigil_eval.generation.continuous import HFEngine  # noqa: E402
from sigil_eval.generation.hardware import choose_hardware, why_no_flash_attention  # noqa: E402
from sigil_eval.generation.loading import load_tokenizer  # noqa: E402
from sigil_eval.generation.memory import fitting  # noqa: E402
from sigil_eval.generation.models import resolve_model  # noqa: E402
from sigil_eval.generation.pool import ModelPool, load_model  # noqa: E402
from sigil_eval.generation.prepared import prepare_model  # noqa: E402
from sigil_eval.generation.progress import GenerationProgress  # noqa: E402
from sigil_eval.generation.proof import prove_engine  # noqa: E402
from sigil_eval.generation.protocol import EngineInfo, Request, Sample  # noqa: E402
from sigil_eval.generation.slots import SlotCache  # noqa: E402
from sigil_eval.generation.static import HFStaticEngine  # noqa: E402
from sigil_eval.generation.vllm_engine import VLLMEngine  # noqa: E402
from sigil_eval.problems import Problem, ProblemSet  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

PARAMS = SamplingParams(num_samples=3, temperature=0.9, max_new_tokens=60)
TASKS = (0, 23, 42, 84, 159)
CPU = EngineOptions(device="cpu")


@pytest.fixture(scope="module")
def problems(humaneval: ProblemSet) -> tuple[Problem, ...]:
    """A few problems, short and long."""
    return tuple(humaneval.by_id[f"HumanEval/{number}"] for number in TASKS)


def requests_for(problems: tuple[Problem, ...]) -> list[Request]:
    """Three samples of each problem."""
    return [Request(p.task_id, i, p.prompt, p.prompt, 77 + i) for p in problems for i in range(3)]


Drawn = dict[tuple[str, int], tuple[list[int], Sample]]


def drawn(engine: HFEngine | HFStaticEngine | VLLMEngine, requests: list[Request]) -> Drawn:
    """Every token and sample that an engine gives."""
    opened: list[Any] = []
    original = engine._book.open
    engine._book.open = lambda asked: opened.extend(original(asked)) or list(opened)  # type: ignore[method-assign]
    samples: list[Sample] = []
    engine.generate(requests, samples.append)
    tokens = {(a.request.task_id, a.request.sample_index): a.drawn for a in opened}
    found = {(s.task_id, s.sample_index): s for s in samples}
    assert len(samples) == len(found) == len(requests)
    return {key: (tokens[key], found[key]) for key in tokens}


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (BASE, {}),
        (TUNED, {}),
        (TUNED, {"merge": False}),
        (BASE, {"quantization": "nf4"}),
        (TUNED, {"quantization": "nf4"}),
    ],
    ids=["base", "merged", "unmerged", "nf4 base", "nf4 with adapter"],
)
@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_hf_gives_what_plain_generate_gives_token_by_token(
    model: ModelSpec,
    settings: dict[str, Any],
    temperature: float,
    problems: tuple[Problem, ...],
) -> None:
    resolved, info = resolve_model(model), choose_hardware("cpu", "float32", **settings)
    loaded, tokenizer = load_model(resolved, info), load_tokenizer(resolved)
    params = replace(PARAMS, temperature=temperature)
    oracle = HFStaticEngine(loaded, tokenizer, params, info, batch_size=4)
    expected = drawn(oracle, requests_for(problems))
    for size in (4, 11):
        engine = HFEngine(loaded, tokenizer, params, info, batch_size=size)
        assert drawn(engine, requests_for(problems)) == expected
    assert {len(tokens) for tokens, _ in expected.values()} != {60}


def test_the_oracle_takes_smaller_batches_when_memory_runs_out(
    problems: tuple[Problem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what was tried last, also where it is cuBLAS that gets no memory."""
    resolved, info = resolve_model(BASE), choose_hardware("cpu", "float32")
    loaded, tokenizer = load_model(resolved, info), load_tokenizer(resolved)
    expected = drawn(
        HFStaticEngine(loaded, tokenizer, PARAMS, info, batch_size=3), requests_for(problems[:2])
    )
    generate, tried = loaded.generate, []

    def small(**inputs: Any) -> Any:
        tried.append(len(inputs["input_ids"]))
        if tried[-1] > 3:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")
        return generate(**inputs)

    monkeypatch.setattr(loaded, "generate", small)
    oracle = HFStaticEngine(loaded, tokenizer, PARAMS, info, batch_size=64)
    assert drawn(oracle, requests_for(problems[:2])) == expected
    assert tried == [6, 3, 3]


def test_an_adapter_beside_the_weights_says_what_a_merged_one_says(
    problems: tuple[Problem, ...],
) -> None:
    greedy = replace(PARAMS, temperature=0.0)
    texts = []
    for merge in (True, False):
        resolved, info = resolve_model(TUNED), choose_hardware("cpu", "float32", merge=merge)
        loaded = load_model(resolved, info)
        kept = any("lora" in name for name, _ in loaded.named_parameters())
        assert kept is not merge
        engine = HFEngine(loaded, load_tokenizer(resolved), greedy, info, batch_size=8)
        texts.append({k: v[0] for k, v in drawn(engine, requests_for(problems)).items()})
    assert texts[0] == texts[1]


LLAMA = ROOT / "tests/stand_ins/llama"


def test_an_adapter_is_merged_in_float32_and_rounded_once() -> None:
    """An adapter in float16 on a base in bfloat16, as the real ones are."""
    info = choose_hardware("cpu", "bfloat16")
    base, tuned = (
        ModelSpec(str(LLAMA / "base")),
        ModelSpec(str(LLAMA / "base"), str(LLAMA / "adapter")),
    )
    before = load_model(resolve_model(base), info).state_dict()
    merged = load_model(resolve_model(tuned), info).state_dict()
    adapter = load_file(LLAMA / "adapter/adapter_model.safetensors")
    config = json.loads((LLAMA / "adapter/adapter_config.json").read_text())
    scale, rounded_twice = config["lora_alpha"] / config["r"], 0
    names = [name.removesuffix(".lora_A.weight") for name in adapter if "lora_A" in name]
    assert len(names) == 14
    for name in names:
        down, up = (adapter[f"{name}.lora_{side}.weight"].float() for side in "AB")
        weight = f"{name.removeprefix('base_model.model.')}.weight"
        change = up @ down * scale
        assert torch.equal(merged[weight], (before[weight].float() + change).bfloat16()), name
        twice = before[weight] + change.bfloat16()
        rounded_twice += int((merged[weight] != twice).sum())
    assert rounded_twice > 1000


def test_an_adapter_with_a_weight_that_is_no_number_is_refused(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "adapter", tmp_path / "adapter")
    path = tmp_path / "adapter/adapter_model.safetensors"
    weights = load_file(path)
    next(iter(weights.values()))[0, 0] = float("nan")
    save_file(weights, path, {"format": "pt"})
    broken = resolve_model(replace(TUNED, checkpoint=str(tmp_path / "adapter")))
    with pytest.raises(PreflightError, match="is not finite once the adapter is merged"):
        load_model(broken, choose_hardware("cpu", "float32"))


def test_four_bits_are_four_bits(problems: tuple[Problem, ...]) -> None:
    info = choose_hardware("cpu", "float32", "nf4")
    loaded = load_model(resolve_model(TUNED), info)
    kinds = {type(module).__name__ for module in loaded.modules()}
    assert "Linear4bit" in kinds and info.adapters == "unmerged"


def test_one_base_serves_models_in_turn(problems: tuple[Problem, ...]) -> None:
    """Base, adapter, base and adapter again: each as if it had been loaded for itself, though
    the weights were read once."""
    info = choose_hardware("cpu", "float32")
    alone = {spec: load_model(resolve_model(spec), info).state_dict() for spec in (BASE, TUNED)}
    pool = ModelPool(keep_base=True)
    first = pool.borrow(resolve_model(BASE), info)
    for spec in (TUNED, BASE, TUNED, TUNED):
        lent = pool.borrow(resolve_model(spec), info)
        assert lent is first
        state = lent.state_dict()
        assert state.keys() == alone[spec].keys()
        assert all(torch.equal(state[name], alone[spec][name]) for name in state)
    spent = ModelPool()
    spent.borrow(resolve_model(TUNED), info)
    again = spent.borrow(resolve_model(BASE), info).state_dict()
    assert all(torch.equal(again[name], alone[BASE][name]) for name in again)


def test_a_base_serves_adapters_beside_it_in_turn() -> None:
    info = choose_hardware("cpu", "float32", merge=False)
    pool = ModelPool()
    pool.borrow(resolve_model(TUNED), info)
    base = pool.borrow(resolve_model(BASE), info)
    assert not any("lora" in name for name, _ in base.named_parameters())
    assert base is pool.borrow(resolve_model(TUNED), info)
    assert any("lora" in name for name, _ in base.named_parameters())


@pytest.fixture(scope="module")
def flash_on_cpu() -> str:
    """What flash attention's path gives, with kernels that are right and others."""
    command = [sys.executable, str(Path(__file__).with_name("flash_on_cpu.py"))]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_flash_attention_reads_prompts_and_slots(flash_on_cpu: str) -> None:
    """The very branch that a GPU takes, prefill and decode, with what flash-attn gives; slots hold
    unequal lengths, are taken over by other prompts, and close."""
    assert "the kernel is right" in flash_on_cpu
    assert flash_on_cpu.count("flash_attention_2 on cpu in bfloat16: ") == 2
    assert "9 of 9 samples are the oracle's" in flash_on_cpu
    assert "afterwards: flash_attention_2" in flash_on_cpu


@pytest.mark.parametrize("fault", ["ignores lengths", "reads too little", "reads too much"])
def test_a_kernel_that_reads_slots_wrongly_is_refused(fault: str, flash_on_cpu: str) -> None:
    refusal = f"{fault}: flash attention gives something else here than attention is"
    (said,) = [line for line in flash_on_cpu.split("\n") if line.startswith(refusal)]
    assert said.endswith("use --attention sdpa")


def test_a_kernel_that_rounds_otherwise_is_not_refused(flash_on_cpu: str) -> None:
    assert "rounds otherwise: 9 samples" in flash_on_cpu


def test_a_flash_attn_that_cannot_be_loaded_is_said_and_not_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own import may work, and transformers' not: einops is missing."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "stand_ins" / "flash_attn"))
    monkeypatch.setattr(transformers_utils, "lazy_import_flash_attention", no_einops)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    why_no_flash_attention.cache_clear()
    info = choose_hardware("cuda", "auto")
    assert (info.dtype, info.attention) == ("bfloat16", "sdpa")
    assert "flash-attn is installed and not used: No module named 'einops'" in (
        " ".join(capsys.readouterr().err.split())
    )
    with pytest.raises(UsageError, match=r"does not work: No module named 'einops'; use --att"):
        choose_hardware("cuda", "auto", attention=FLASH)
    why_no_flash_attention.cache_clear()


def no_einops(implementation: str) -> None:
    raise ModuleNotFoundError("No module named 'einops'")


def test_what_the_allocator_keeps_of_the_model_before_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many slots for the second model of a run as for the first."""
    gib = 1 << 30
    loaded = load_model(resolve_model(BASE), choose_hardware("cpu", "float32"))
    slots = []
    for free, reserved, allocated in ((60, 20, 16), (20, 60, 16)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, f=free: (f * gib, 80 * gib))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _, r=reserved: r * gib)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _, a=allocated: a * gib)
        slots.append(fitting(loaded, 1024, "cuda"))
    assert slots[0] == slots[1]
    config = loaded.config
    size = config.hidden_size // config.num_attention_heads
    each = 1024 * 2 * 4 * config.num_hidden_layers * config.num_key_value_heads * size
    assert slots[0] == int(0.8 * 64 * gib / each)
    assert fitting(loaded, 1024, "cpu") is None


def test_memory_is_given_back_when_an_engine_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: calls.append("emptied"))
    model, info = resolve_model(BASE), choose_hardware("cpu", "float32")
    prepared = prepare_model(BASE, "completion")
    models = ModelPool()
    models.borrow(model, info)
    lent = ModelPool()
    monkeypatch.setattr(lent, "borrow", lambda *_: models.borrow(model, info))
    options = EngineOptions(batch_size=1)
    gpu = replace(info, device="cuda")
    with options.kind.start(prepared, PARAMS, options, gpu, lent):
        assert not calls
    assert calls == ["emptied"]


def test_the_engine_is_proved_on_its_own_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are compared with float32's; a cache that mixes slots up is found."""
    model, info = resolve_model(TUNED), choose_hardware("cpu", "float32")
    proof = prove_engine(model, info)
    assert proof.steps > 10 and proof.engine_error < 1e-4 and proof.plain_error == 0
    put = SlotCache.put
    monkeypatch.setattr(
        SlotCache, "put", lambda cache, prompt, slots: put(cache, prompt, slots.flip(0) * 0)
    )
    with pytest.raises(PreflightError, match="computes something else than the model"):
        prove_engine(model, info)


def test_a_model_with_a_sliding_window_is_left_to_plain_generate() -> None:
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=2048,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=8,
    )
    model, tokenizer = MistralForCausalLM(config), load_tokenizer(resolve_model(BASE))
    info = EngineInfo("cpu", "float32", "sdpa")
    with pytest.raises(PreflightError, match="use --engine hf-static"):
        HFEngine(model, tokenizer, PARAMS, info, batch_size=2)


def test_an_empty_prompt_is_refused() -> None:
    resolved, info = resolve_model(BASE), choose_hardware("cpu", "float32")
    engine = HFEngine(
        load_model(resolved, info), load_tokenizer(resolved), PARAMS, info, batch_size=2
    )
    with pytest.raises(UsageError, match="Empty/1: its prompt is empty"):
        engine.generate([Request("Empty/1", 0, " \n", "", 1)], lambda sample: None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"engine": "magic"}, "unknown engine 'magic'"),
        ({"engine": "openai"}, "--base-url is for --engine openai, which needs it"),
        ({"base_url": "http://x"}, "--base-url is for --engine openai"),
        ({"engine": "openai", "base_url": "ftp://x"}, "is not an address like"),
        ({"engine": "vllm", "quantization": "nf4"}, "--quantize and --unmerged"),
        ({"batch_size": 0}, "--batch-size"),
    ],
)
def test_options_that_contradict_each_other(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        EngineOptions(**wrong)


def test_attention_that_is_not_here_is_refused() -> None:
    with pytest.raises(UsageError, match=r"needs a GPU.*use --attention sdpa"):
        choose_hardware("cpu", "auto", attention=FLASH)
    with pytest.raises(UsageError, match="unknown quantization 'int3'; choose one of none, nf4"):
        choose_hardware("cpu", "auto", "int3")


def test_progress_shows_rate_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    line = ProgressLine("generating", 100, clock=lambda: now)
    with line:
        progress = GenerationProgress(line, price_per_hour=3.0, clock=lambda: now)
        now = 60.0  # the model loads
        progress(1, 100, 50)
        now = 80.0
        progress(21, 100, 3050)
    shown = capsys.readouterr().err.splitlines()
    assert (
        "generating: 21/100 (21 %), 1.0 samples/s, 1m 19s left, 150 tokens/s, $0.07 so far" in shown
    )


def test_generate_with_several_adapters(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from sigil_eval.cli import main

    other = tmp_path / "checkpoint-2"
    other.mkdir()
    for file in (MODELS / "adapter").iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    command = ["generate", "--base-model", str(MODELS / "base"), "--num-samples", "1"]
    command += ["--checkpoint", str(MODELS / "adapter"), "--checkpoint", str(other)]
    command += ["--output", str(tmp_path / "out"), "--device", "cpu", "--max-new-tokens", "8"]
    assert main(command) == 0
    files = [tmp_path / "out" / name for name in ("adapter.jsonl", "checkpoint-2.jsonl")]
    answers = [
        [json.loads(line)["completion"] for line in f.read_text().splitlines()] for f in files
    ]
    assert len(answers[0]) == 164 and answers[0] == answers[1]
