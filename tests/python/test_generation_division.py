"""Work divided among shards, devices and processes: the same samples in every case."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import parts  # noqa: E402
from demo_models import MODELS, ROOT, TUNED  # noqa: E402
from sigil_eval.errors import PreflightError, UsageError  # noqa: E402
from sigil_eval.generation import (  # noqa: E402
    EngineOptions,
    SamplingParams,
    Shard,
    generate_samples,
)
from sigil_eval.generation.devices import devices_of, draw_on_all  # noqa: E402
from sigil_eval.generation.journal import journal_path  # noqa: E402
from sigil_eval.problems import Problem, ProblemSet  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

PARAMS = SamplingParams(num_samples=3, temperature=0.9, max_new_tokens=60)
TASKS = (0, 23, 42, 84, 159)
CPU = EngineOptions(device="cpu")


@pytest.fixture(scope="module")
def problems(humaneval: ProblemSet) -> tuple[Problem, ...]:
    """A few problems, short and long."""
    return tuple(humaneval.by_id[f"HumanEval/{number}"] for number in TASKS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, problems: tuple[Problem, ...]) -> bytes:
    """The samples file of one process."""
    output = tmp_path_factory.mktemp("whole") / "tuned.jsonl"
    generate_samples(TUNED, problems, PARAMS, output, options=CPU)
    return output.read_bytes()


def test_three_shards_give_the_file_of_one(
    whole: bytes, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    counts = []
    for text in ("3/3", "1/3", "2/3"):
        shard = Shard.parse(text)
        summary = generate_samples(TUNED, problems, PARAMS, output, options=CPU, shard=shard)
        rows = shard.output(output).read_text().splitlines()
        assert len(rows) == summary.samples == summary.new_samples
        counts.append(len(rows))
        assert not output.exists()
    assert counts == [5, 5, 5]
    merged = generate_samples(TUNED, problems, PARAMS, output, options=CPU)
    assert output.read_bytes() == whole
    assert (merged.new_samples, merged.resumed_samples) == (0, 15)


def test_what_shards_lack_is_drawn(
    whole: bytes, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    generate_samples(TUNED, problems, PARAMS, output, options=CPU, shard=Shard(2, 3))
    summary = generate_samples(TUNED, problems, PARAMS, output, options=CPU)
    assert (summary.new_samples, summary.resumed_samples) == (10, 5)
    assert output.read_bytes() == whole


def test_a_part_is_one_block_of_problems() -> None:
    pairs = [(f"task {problem}", sample) for problem in range(7) for sample in range(4)]
    for count in (1, 2, 3, 5, 28, 40):
        parts = [Shard(number, count).of(pairs) for number in range(1, count + 1)]
        assert [pair for part in parts for pair in part] == pairs
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        read = sum(len({task for task, _ in part}) for part in parts)
        assert read <= 7 + count - 1


def test_what_another_division_has_drawn_is_taken_over(
    whole: bytes, tmp_path: Path, problems: tuple[Problem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts were once every third sample, as those of an interrupted run may be."""
    output = tmp_path / "tuned.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(Shard, "of", lambda shard, pairs: pairs[shard.number - 1 :: shard.count])
        generate_samples(TUNED, problems, PARAMS, output, options=CPU, shard=Shard(2, 3))
    part = generate_samples(TUNED, problems, PARAMS, output, options=CPU, shard=Shard(2, 3))
    assert (part.samples, part.new_samples, part.resumed_samples) == (5, 4, 1)
    summary = generate_samples(TUNED, problems, PARAMS, output, options=CPU)
    assert (summary.new_samples, summary.resumed_samples) == (6, 9)
    assert output.read_bytes() == whole


def test_a_shard_with_other_settings_is_refused(
    tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    warm = replace(PARAMS, temperature=0.5)
    generate_samples(TUNED, problems, warm, output, options=CPU, shard=Shard(1, 3))
    with pytest.raises(UsageError, match=r"temperature was 0\.5, is now 0\.9"):
        generate_samples(TUNED, problems, PARAMS, output, options=CPU)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_part_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a part like 2/3"):
        Shard.parse(text)


def test_two_processes_give_the_file_of_one(
    whole: bytes, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    seen: list[tuple[int, int, int]] = []
    summary = generate_samples(
        TUNED,
        problems,
        PARAMS,
        output,
        options=replace(CPU, device="cpu,cpu"),
        progress=lambda *state: seen.append(state),
    )
    assert output.read_bytes() == whole
    assert summary.new_samples == 15
    assert [done for done, _, _ in seen] == list(range(1, 16))
    assert seen[-1] == (15, 15, summary.tokens)
    assert summary.device == "cpu,cpu"
    assert [p.name for p in tmp_path.iterdir() if "shard" in p.name] == []


def test_a_device_that_does_not_exist_is_refused(
    tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    options = replace(CPU, device="cpu,tpu")
    output = tmp_path / "tuned.jsonl"
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        generate_samples(TUNED, problems, PARAMS, output, options=options)
    assert not list(tmp_path.iterdir())


def test_what_processes_report_comes_together(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    draw_on_all(parts.count, [(tmp_path, n) for n in (1, 2, 3)], lambda *state: seen.append(state))
    assert sorted(seen) == [(1, n) for n in (1, 1, 1, 2, 2, 2, 3, 3, 3)]
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2", "3"}


def test_a_failure_in_one_process_ends_the_others(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(UsageError, match="the second part is wrong"):
        draw_on_all(parts.fail_second, [(tmp_path, 1), (tmp_path, 2)], lambda *state: None)
    assert time.monotonic() - began < 50
    with pytest.raises(PreflightError, match="a process that was drawing samples died"):
        draw_on_all(parts.die, [(tmp_path, 1)], lambda *state: None)


DIVIDED = """
import sys
from pathlib import Path
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.problems import load_problem_set

if __name__ == "__main__":
    by_id = load_problem_set("humaneval-rust").by_id
    generate_samples(
        ModelSpec(sys.argv[1], sys.argv[2]),
        [by_id[f"HumanEval/{number}"] for number in (0, 23, 42, 84, 159)],
        SamplingParams(num_samples=3, temperature=0.9, max_new_tokens=60),
        Path(sys.argv[3]),
        options=EngineOptions(batch_size=1, device="cpu,cpu"),
    )
"""


def test_killed_with_its_processes_it_goes_on_from_what_they_had(
    whole: bytes, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    """kill -9 of the first process alone: the others end by themselves, and nothing is lost."""
    script, output = tmp_path / "divided.py", tmp_path / "tuned.jsonl"
    script.write_text(DIVIDED)
    command = [sys.executable, str(script), str(MODELS / "base"), str(MODELS / "adapter")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    journals = [journal_path(Shard(number, 2).output(output)) for number in (1, 2)]
    with subprocess.Popen([*command, str(output)], env=environment) as process:
        while process.poll() is None:
            if all(j.exists() and j.read_bytes().count(b"\n") >= 3 for j in journals):
                process.kill()
                break
            time.sleep(0.005)
    assert process.returncode == -9, "it ended before it could be killed"
    until = time.monotonic() + 60
    while True:  # the processes of the parts hold their journals until they notice
        try:
            summary = generate_samples(TUNED, problems, PARAMS, output, options=CPU)
            break
        except UsageError as error:
            assert "another process" in str(error) and time.monotonic() < until
            time.sleep(0.1)
    assert summary.resumed_samples >= 4
    assert output.read_bytes() == whole


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices_of("cpu") == ["cpu"]
    assert devices_of("cuda:1, cuda:3") == ["cuda:1", "cuda:3"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert devices_of("auto") == devices_of("cuda") == ["cuda:0", "cuda:1", "cuda:2"]
    assert devices_of("cuda:0") == ["cuda:0"]
