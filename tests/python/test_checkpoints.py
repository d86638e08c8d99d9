"""Which checkpoints there are: their order, lists of them, and those that are being written."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.generation.checkpoints import find_checkpoints, why_not_whole


def weights(numbers: int = 4) -> bytes:
    """A safetensors file of one tensor."""
    tensor = {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "a": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4 * numbers)


def checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(weights())
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "some/base"}')
    return folder


def steps(*sources: Path | str) -> list[int | None]:
    return [found.step for found in find_checkpoints(list(map(str, sources))).checkpoints]


def test_checkpoints_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for step in (12000, 500, 9000, 1000):
        checkpoint(tmp_path / f"checkpoint-{step}")
    for other in ("checkpoint-best", "tmp-checkpoint-700", "runs", "checkpoint-"):
        (tmp_path / other).mkdir()
    found = find_checkpoints([str(tmp_path)])
    assert [c.step for c in found.checkpoints] == [500, 1000, 9000, 12000]
    assert found.checkpoints[0].label == "checkpoint-500"
    assert found.left_out == {}


def test_a_checkpoint_can_be_named_itself_and_a_final_one_is_the_last(tmp_path: Path) -> None:
    final = checkpoint(tmp_path / "final")
    checkpoint(tmp_path / "run/checkpoint-20")
    assert steps(final, tmp_path / "run/checkpoint-20") == [20, None]


def test_a_list_names_them_line_by_line(tmp_path: Path) -> None:
    checkpoint(tmp_path / "run/checkpoint-20")
    checkpoint(tmp_path / "run/checkpoint-5")
    names = tmp_path / "list.txt"
    names.write_bytes(
        "\ufeff# those of Monday\r\nrun/checkpoint-20\r\n\r\n  run/checkpoint-5  # too early\n"
        "org/name/checkpoint-7\n".encode()
    )
    assert steps(names) == [5, 7, 20]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"run\nno such\n", "list.txt:2: no such is no folder, and no id on the hub"),
        (b"run\nrun\n", "list.txt:2: .*checkpoint-20 is named twice"),
        (b"# none\n", "list.txt: names no checkpoint"),
        (b"run\n\xff\n", "list.txt:2: not UTF-8 text"),
        (b"list.txt\n", "list.txt:1: list.txt is no folder"),
        (b"empty\n", r"list.txt:1: .*empty holds no folder checkpoint-N"),
    ],
)
def test_a_list_that_will_not_do(tmp_path: Path, text: bytes, complaint: str) -> None:
    checkpoint(tmp_path / "run/checkpoint-20")
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_bytes(text)
    with pytest.raises(UsageError, match=complaint):
        find_checkpoints([str(tmp_path / "list.txt")])


def test_those_of_two_runs_keep_apart_by_their_folders(tmp_path: Path) -> None:
    checkpoint(tmp_path / "a/checkpoint-20")
    checkpoint(tmp_path / "b/checkpoint-20")
    found = find_checkpoints([str(tmp_path / "a"), str(tmp_path / "b")]).checkpoints
    assert [c.label for c in found] == ["a-checkpoint-20", "b-checkpoint-20"]


def test_a_checkpoint_cannot_take_the_bases_label(tmp_path: Path) -> None:
    found = find_checkpoints([str(checkpoint(tmp_path / "base"))]).checkpoints
    assert [c.label for c in found] == ["base-checkpoint"]


def test_what_is_being_written_is_left_out_by_name(tmp_path: Path) -> None:
    whole, config, cut, header, half, bare = (
        checkpoint(tmp_path / f"checkpoint-{step}") for step in range(10, 70, 10)
    )
    (config / "adapter_config.json").unlink()
    (cut / "adapter_model.safetensors").write_bytes(weights()[:-1])
    (header / "adapter_model.safetensors").write_bytes(weights()[:5])
    (half / "adapter_config.json").write_text('{"base_model_name')
    (bare / "adapter_model.safetensors").unlink()
    assert why_not_whole(whole) == ""
    found = find_checkpoints([str(tmp_path)])
    assert [c.name for c in found.checkpoints] == [str(whole)]
    reasons = [found.left_out[str(folder)] for folder in (config, cut, header, half, bare)]
    assert "adapter_config.json" in reasons[0]
    assert reasons[1] == reasons[2] == "adapter_model.safetensors is not all there"
    assert reasons[3] == "adapter_config.json is not all there"
    assert "holds no .safetensors weights" in reasons[4]
    (cut / "adapter_model.safetensors").write_bytes(weights())  # and now it is written
    assert steps(tmp_path) == [10, 30]


def test_a_source_that_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder, and no id on the hub"):
        find_checkpoints([str(tmp_path / "gone")])
    with pytest.raises(UsageError, match="holds no folder checkpoint-N, and is no checkpoint"):
        find_checkpoints([str(tmp_path)])
