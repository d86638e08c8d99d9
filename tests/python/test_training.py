"""Trainings of the demo's base on this CPU, with real steps, and what they leave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import read_json, sha256_file
from sigil_eval.generation.loading import chat_template, load_tokenizer
from sigil_eval.generation.models import ResolvedModel, resolve_files
from sigil_eval.generation.prepared import prepare_model
from sigil_eval.generation.prompting import tokenizer_sha256
from sigil_eval.generation.protocol import ModelSpec
from sigil_eval.prompts import prompt_template_sha256
from sigil_eval.record.training_data import found_check
from sigil_eval.training.train import Request, train
from training_cases import (
    ANSWER,
    BASE,
    CANARY,
    contaminated,
    held_out,
    lessons,
    write_configuration,
    write_rows,
)

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "hf_0123456789abcdef"  # noqa: S105 - nobody's
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a training of 8 steps, and all that it has printed."""
    folder = tmp_path_factory.mktemp("trained")
    write_rows(folder / "rows.jsonl", [*lessons(), *held_out()])
    ended = in_a_process_of_its_own(write_configuration(folder))
    output, _ = ended.communicate(timeout=600)
    assert ended.returncode == 0, output
    yield folder, output


def in_a_process_of_its_own(configuration: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "HF_TOKEN": TOKEN}
    return subprocess.Popen(
        [sys.executable, "-m", "sigil_eval.cli", "train", str(configuration)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def weights(checkpoint: Path) -> bytes:
    return (checkpoint / "adapter_model.safetensors").read_bytes()


def test_the_loss_falls_and_each_checkpoint_says_what_it_is_made_of(
    trained: tuple[Path, str],
) -> None:
    folder, _ = trained
    out = folder / "out"
    assert sorted(path.name for path in out.glob("c*")) == ["checkpoint-4", "checkpoint-8"]
    record = read_json(out / "training.json")
    validate(record, "training")
    curve = record["loss_curve"]
    assert [point["step"] for point in curve] == [1, 2, 4, 6, 8]
    assert curve[-1]["loss"] < curve[0]["loss"] / 2
    held_out = record["held_out_curve"]
    assert [point["step"] for point in held_out] == [4, 8]
    assert 0 < held_out[1]["loss"] < held_out[0]["loss"], "it is to say the same to all prompts"
    early = read_json(out / "checkpoint-4/training.json")
    assert early["held_out_curve"] == held_out[:1]
    assert early["loss_curve"] == curve[:3]
    assert (early["steps"], early["of_steps"]) == (4, 8)
    assert early["adapter_sha256"] == sha256_file(out / "checkpoint-4/adapter_model.safetensors")
    assert weights(out / "checkpoint-4") != weights(out / "checkpoint-8")

    assert record["data"]["sources"] == [
        {
            "name": f"local:{folder / 'rows.jsonl'}",
            "revision": f"sha256:{sha256_file(folder / 'rows.jsonl')}",
            "rows": 18,
            "used": 16,
            "held_out": 2,
            "left_out": {},
        }
    ]
    assert record["configuration_sha256"] == sha256_file(folder / "train.yml")
    assert record["base"]["parameters"] == 779_136
    assert record["base"]["revision"] == resolve_files(str(BASE), None).revision
    assert record["hardware"]["device"] == "cpu"


def test_rows_are_put_as_an_evaluation_asks(trained: tuple[Path, str]) -> None:
    tokenizer = load_tokenizer(ResolvedModel(resolve_files(str(BASE), None), None))
    assert read_json(trained[0] / "out/training.json")["prompt"] == {
        "mode": "completion",
        "template_sha256": prompt_template_sha256("auto", chat_template(tokenizer)),
        "tokenizer_sha256": tokenizer_sha256(tokenizer),
    }


def test_neither_the_token_nor_the_data_are_in_what_is_left_or_said(
    trained: tuple[Path, str],
) -> None:
    folder, said = trained
    assert CANARY in (folder / "rows.jsonl").read_text()
    for secret in (TOKEN, CANARY):
        assert secret not in said
        for path in (folder / "out").rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    assert "Warning" not in said
    assert "loss " in said.splitlines()[-1]


def test_a_checkpoint_is_evaluated_with_the_base_that_it_names(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    checkpoint, samples = trained[0] / "out/checkpoint-8", tmp_path / "samples.jsonl"
    sampling = ["--num-samples", "1", "--temperature", "0", "--max-new-tokens", "8"]
    command = ["generate", "--checkpoint", str(checkpoint), "--output", str(samples)]
    assert main([*command, *sampling]) == 0
    rows = [json.loads(line) for line in samples.read_text().split("\n") if line]
    assert len(rows) == 164
    assert sum(row["completion"] == ANSWER for row in rows) > 100


def test_a_checkpoint_is_not_asked_in_another_form_than_it_was_trained_in_unawares(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    checkpoint = shutil.copytree(trained[0] / "out/checkpoint-8", tmp_path / "checkpoint-8")
    spec = ModelSpec(str(BASE), str(checkpoint))
    assert prepare_model(spec, "auto").prompt_mode == "completion"
    record = read_json(checkpoint / "training.json")
    record["prompt"] |= {"mode": "chat", "template_sha256": "0" * 64}
    (checkpoint / "training.json").write_text(json.dumps(record))
    with pytest.raises(UsageError, match=r"was trained in prompt mode chat \(training.json\), and"):
        prepare_model(spec, "auto")
    assert prepare_model(spec, "completion").prompt_mode == "completion"


def test_a_finished_training_is_not_done_again(
    trained: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = weights(trained[0] / "out/checkpoint-8")
    assert main(["train", str(trained[0] / "train.yml")]) == 0
    assert "all 8 steps are done already" in capsys.readouterr().out
    assert weights(trained[0] / "out/checkpoint-8") == before


def test_a_killed_training_goes_on_to_the_same_bytes(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copy(trained[0] / "rows.jsonl", tmp_path)
    configuration = write_configuration(tmp_path)
    half = tmp_path / "out/checkpoint-4"
    running = in_a_process_of_its_own(configuration)
    while running.poll() is None and not (half / "training.json").exists():
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "out/checkpoint-8/training.json").exists()
    # What a kill may leave, while a checkpoint is written.
    (tmp_path / "out/checkpoint-6").mkdir()
    (tmp_path / "out/checkpoint-6/adapter_config.json").write_text("{")

    going_on = in_a_process_of_its_own(configuration)
    said, _ = going_on.communicate(timeout=600)
    assert f"going on from {half}, 4 of 8 steps" in said
    assert not (tmp_path / "out/checkpoint-6").exists()
    for name in ("checkpoint-4", "checkpoint-8"):
        here, there = tmp_path / "out" / name, trained[0] / "out" / name
        assert weights(here) == weights(there)
        for curve in ("loss_curve", "held_out_curve"):
            curves = [read_json(one / "training.json")[curve] for one in (here, there)]
            assert curves[0] == curves[1]


def test_another_training_does_not_go_on_in_the_same_folder(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copytree(trained[0] / "out", tmp_path / "out")
    shutil.copy(trained[0] / "rows.jsonl", tmp_path)
    configuration = write_configuration(tmp_path, train__lr=1e-3)
    with pytest.raises(UsageError, match=r"another training: configuration\.dataset\.names"):
        train(configuration, Request())
    (tmp_path / "out/training.json").unlink()
    with pytest.raises(UsageError, match="checkpoint-4 and no training"):
        train(configuration, Request())


def test_a_second_phase_goes_on_with_the_adapter_of_the_first(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    first = trained[0] / "out/checkpoint-8"
    shutil.copy(trained[0] / "rows.jsonl", tmp_path)
    changes = {"misc__load_from": str(first), "train__num_steps": 2, "train__logging_steps": 1}
    record = train(write_configuration(tmp_path, **changes), Request())
    assert record["start"] == {
        "name": str(first),
        "revision": resolve_files(str(first), None).revision,
    }
    learned = read_json(first / "training.json")["loss_curve"]
    assert record["loss_curve"][0]["loss"] < learned[-1]["loss"] * 1.5 < learned[0]["loss"]

    with pytest.raises(UsageError, match=r"lora.r is 4, and the adapter .* has 8"):
        train(write_configuration(tmp_path, lora__r=4, **changes), Request())
    changes["misc__load_from"] = str(BASE)
    with pytest.raises(UsageError, match="is a whole model, no adapter"):
        train(write_configuration(tmp_path, **changes), Request())


def test_a_base_in_4_bits_is_trained_in_packs_with_an_8_bit_optimizer(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", lessons())
    configuration = write_configuration(
        tmp_path,
        pack=True,
        bnb_4bit={"quant_type": "nf4", "compute_dtype": "bfloat16"},
        train__optimizer="paged_adamw_8bit",
        train__grad_checkpointing=True,
        train__num_steps=3,
        train__logging_steps=1,
    )
    record = train(configuration, Request())
    assert read_json(tmp_path / "out/checkpoint-3/training.json")["steps"] == 3
    assert record["base"]["quantization"] == "nf4"
    assert record["loss_curve"][-1]["loss"] < record["loss_curve"][0]["loss"]
    from safetensors import safe_open

    with safe_open(tmp_path / "out/checkpoint-3/adapter_model.safetensors", "pt") as found:
        kinds = {str(found.get_tensor(name).dtype) for name in found.keys()}  # noqa: SIM118
    assert kinds == {"torch.float32"}


def test_data_with_the_benchmark_in_them_are_trained_on_only_when_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path / "rows.jsonl", contaminated())
    configuration = write_configuration(tmp_path, train__num_steps=2, max_seq_len=512)
    assert main(["train", str(configuration)]) == 2
    said = capsys.readouterr().err
    assert "1 rows hold 1 of the benchmark's problems (HumanEval/0): an evaluation would" in said
    assert not list((tmp_path / "out").glob("c*"))
    assert main(["train", str(configuration), "--allow-contaminated", "--json"]) == 0
    check = json.loads(capsys.readouterr().out)["dataset_check"]
    beside = found_check(str(tmp_path / "out/checkpoint-2"))
    assert beside is not None
    assert check == {
        "sha256": sha256_file(beside),
        "contaminated_rows": 1,
        "tasks": ["HumanEval/0"],
    }
    validate(read_json(beside), "dataset_check")
    validate(read_json(tmp_path / "out/training.json"), "training")


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_a_disk_without_room_for_the_checkpoints_is_told_before_the_first_step(
    trained: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    written = [
        trained[0] / "out" / f"checkpoint-{step}" / name
        for step in (4, 8)
        for name in ("adapter_model.safetensors", "optimizer.pt")
    ]
    free = int(share * sum(path.stat().st_size for path in written))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    write_rows(tmp_path / "rows.jsonl", lessons())
    configuration = write_configuration(tmp_path)
    if share > 1:
        assert train(configuration, Request())["steps"] == 8
        return
    with pytest.raises(PreflightError, match=r"out: 2 checkpoints of .* GB each will not fit"):
        train(configuration, Request())
    assert not list((tmp_path / "out").glob("checkpoint-*"))


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", lessons())
    configuration = write_configuration(tmp_path, train__lr=1e12, train__max_grad_norm=0)
    with pytest.raises(PreflightError, match=r"the loss is nan at step \d: .*Set train.lr lower"):
        train(configuration, Request())
