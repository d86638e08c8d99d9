"""A training's configuration: the finetuner's keys; what is wrong is named, with its line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from rust_qlora.config_models import TrainingConfig

from sigil_eval.cli import main
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.needs import check_libraries
from sigil_eval.training.reading import read_configuration
from sigil_eval.training.refusals import KNOWN_AND_REFUSED

REPOSITORY = Path(__file__).resolve().parents[2]
LEAST = "model_name: org/base\ndataset:\n  names: [local:rows.jsonl]\n"
Read = Callable[[str], Configuration]

# Keys that the finetuner's shipped configurations and program have, and its model drops.
DROPPED = {
    "train.use_flash_attention",
    "train.dataloader_num_workers",
    "train.dataloader_pin_memory",
    "train.dataloader_prefetch_factor",
    "train.clear_cache_every_n_steps",
    "misc.deterministic",
}
# Why each differs is said where it is defined.
OTHER_DEFAULTS = {"train.save_total_limit", "train.log_backend", "misc.logging_dir"}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_text(text: str) -> Configuration:
        path = tmp_path / "train.yml"
        path.write_text(text, encoding="utf-8")
        return read_configuration(path)

    return read_text


def flat(values: dict[str, Any], name: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        full = f"{name}.{key}".strip(".")
        if isinstance(value, dict) and key in ("dataset", "lora", "train", "bnb_4bit", "misc"):
            found |= flat(value, full)
        else:
            found[full] = value
    return found


def test_keys_and_defaults_are_the_finetuners_but_those_that_are_named(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").touch()
    with pytest.warns(UserWarning, match="not in the list"):
        model = TrainingConfig(model_name="org/base", dataset={"names": ["local:rows.jsonl"]})
    theirs, ours = flat(model.model_dump()), flat(asdict(read(LEAST)))
    assert ours.keys() - theirs.keys() == DROPPED
    assert theirs.keys() - ours.keys() == {"misc.log_file"} <= KNOWN_AND_REFUSED.keys()
    common = theirs.keys() & ours.keys()
    assert {key for key in common if theirs[key] != ours[key]} == OTHER_DEFAULTS


@pytest.mark.parametrize("name", ["llama8b-phase1.yml", "llama8b-phase2.yml"])
def test_the_finetuners_own_files_are_read_but_for_what_they_would_delete(
    name: str, read: Read
) -> None:
    text = (files("rust_qlora") / "configs" / name).read_text(encoding="utf-8")
    with pytest.raises(UsageError, match=r":\d+: train.save_total_limit is 3, and (12|8) check"):
        read(text)
    told = read(text.replace("  save_total_limit: 3\n", ""))
    assert told.train.use_flash_attention is True
    assert told.train.dataloader_num_workers == 48
    assert told.pack


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "train.yml: empty"),
        ("[1]", "train.yml:1: it must be a mapping"),
        ("model_name: [", "train.yml:1: not valid YAML"),
        ("model_name: &a [*a]", "train.yml: nested too deep, or in itself"),
        ("model_name: org/base", "train.yml: dataset is missing"),
        ("model_name: org/base\ndataset: {use_cache: true}", "train.yml:2: dataset has no names"),
        (LEAST + "lora: 3", ":4: lora must be a mapping"),
        (LEAST + "train: {learning_rat: 1}", ":4: train.learning_rat is no key .* mean train.lr?"),
        (LEAST + "train: {lr: 1, lr: 2}", ":4: train.lr stands twice"),
        (LEAST + "lr: 1", ":4: lr is no key .* did you mean train.lr?"),
        (LEAST + "packing: true", ":4: packing is no key .* did you mean pack?"),
        (LEAST + "lora:\n  rank: 8", ":5: lora.rank is no key .* did you mean lora.r?"),
        (LEAST + "misc.load_from: x", ":4: misc.load_from is no key; write `load_from` under"),
        (LEAST + "misc: {log_file: x}", ":4: misc.log_file is not done here: training.json"),
        (LEAST + "? [a]\n: 1", "has a key that is no word, in line 4"),
        (LEAST + "train: {lr: fast}", ":4: train.lr: expected a number, found 'fast'"),
        (LEAST + "train: {lr: 0}", ":4: train.lr: 0 is not above 0"),
        (LEAST + "train: {lr: .nan}", ":4: train.lr: nan is beyond all bounds"),
        (LEAST + "train: {num_steps: 0}", ":4: train.num_steps: 0 is below 1"),
        (LEAST + "train: {num_steps: 9}", ":4: train.num_steps leaves 9 steps, .* first 250 warm"),
        (LEAST + "train: {save_total_limit: 11}", "is 11, and 12 checkpoints are written"),
        (LEAST + "train: {load_best_model_at_end: true}", "would choose a checkpoint by loss"),
        (LEAST + "train: {dataloader_prefetch_factor: 2}", "needs train.dataloader_num_workers"),
        (LEAST + "train: {optimizer: adam}", ":4: train.optimizer: expected adafactor or"),
        (LEAST + "lora: {target_modules: []}", ":4: lora.target_modules is empty"),
        (LEAST + "  min_length: 9\n  max_length: 8", ":5: dataset.max_length is below"),
        (LEAST + "  dataset_weights: {local:row.jsonl: 2}", "Did you mean 'local:rows.jsonl'"),
        (LEAST + "  dataset_weights: {local:rows.jsonl: 2}", "only with interleave_mode"),
        (LEAST + "  interleave_mode: in turn", "expected sequential or round_robin or"),
        (LEAST.replace("local:rows.jsonl", "org/rows") + "  use_cache: false", "false would str"),
        (LEAST.replace("]", ", local:rows.jsonl]"), ":3: dataset.names has 'local:rows.jsonl' twi"),
        (LEAST + "pack: 1", ":4: pack: expected true or false, found 1"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str, read: Read) -> None:
    with pytest.raises(UsageError, match=said):
        read(text)


def test_what_yaml_takes_for_text_is_read_as_it_is_meant(read: Read) -> None:
    told = read(
        LEAST + "  interleave_mode: round-robin\ntrain: {lr: 1e-4}\n"
        "lora: {target_modules: 'q_proj; v_proj'}\n"
    )
    assert told.dataset.interleave_mode == "round_robin"
    assert told.train.lr == 1e-4
    assert told.lora.target_modules == ["q_proj", "v_proj"]
    assert told.checkpoints == list(range(1000, 12001, 1000))


def test_as_many_checkpoints_as_are_kept_may_be_written(read: Read) -> None:
    told = read(LEAST + "train: {num_steps: 1100, save_every: 500, save_total_limit: 3}")
    assert told.checkpoints == [500, 1000, 1100]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert main(["train", str(tmp_path / "no.yml")]) == 2
    (tmp_path / "bytes.yml").write_bytes(b"model_name: \xff")
    with pytest.raises(UsageError, match=r"bytes.yml: not UTF-8 text \(byte 12\)"):
        read_configuration(tmp_path / "bytes.yml")


def test_a_bad_configuration_is_refused_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "train.yml").write_text(LEAST + "train: {learning_rat: 1}")
    code = (
        "import sys; from sigil_eval.cli import main; code = main(['train', 'train.yml']);"
        "print(code, *{'torch', 'transformers', 'datasets', 'trl', 'numpy'} & sys.modules.keys())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "2\n"
    assert "did you mean train.lr" in ended.stderr


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("trl", LEAST),
        ("bitsandbytes", LEAST),
        ("wandb", LEAST + "train: {log_backend: wandb}"),
    ],
)
def test_what_is_not_installed_is_named_with_the_way_to_it(
    missing: str, text: str, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == missing else object()
    )
    with pytest.raises(PreflightError, match=rf"{missing}.* not installed.*pip install"):
        check_libraries(read(text))
