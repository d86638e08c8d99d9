"""On a cluster: real nodes on this machine give what one machine gives, whatever befalls them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from work import other_rustc, results, when_begun, write_work

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.cluster.draw import ClusterDrawers, drawing_on
from sigil_eval.cluster.draw_worker import DrawOrder, DrawWorker
from sigil_eval.cluster.judge_worker import Standard
from sigil_eval.cluster.order import Cluster
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.generation.plan import Job, plan_for
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.reading import FEW

if TYPE_CHECKING:
    from nodes import Nodes

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = 24


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Samples, so many that nodes read some of them, and the file of their problem."""
    return write_work(tmp_path, PROGRAMS, talk=FEW + 500)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    from nodes import Nodes  # before Ray is imported: it sets what Ray then reads

    with Nodes() as cluster:
        yield cluster


def score(files: tuple[Path, Path], output: Path, *more: str) -> int:
    samples, problems = map(str, files)
    given = ["--problem-file", problems, "--output-dir", str(output), *more]
    return main(["score", samples, *given])


def test_a_node_with_another_rustc_and_one_that_dies_change_no_byte(
    nodes: Nodes, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(files, tmp_path / "one") == 0
    nodes.add()
    nodes.add({"SIGIL_RUSTC": str(other_rustc(tmp_path))})
    dies = nodes.add()
    capsys.readouterr()

    killer = when_begun(tmp_path / "three" / ".verdicts.jsonl", lambda: nodes.kill(dies))
    code = score(files, tmp_path / "three", "--ray", nodes.address)
    killer.join()

    said = capsys.readouterr().err
    assert code == 0, said
    assert results(tmp_path / "three") == results(tmp_path / "one")
    metadata = json.loads((tmp_path / "three" / "eval_metadata.json").read_text())
    validate(metadata, "eval_metadata")
    told = [line for line in said.split("\n") if line.startswith("warning: node")]
    assert len(told) == 2, said
    assert sorted(n["state"] for n in metadata["cluster"]["nodes"]) == [
        "left out",
        "lost",
        "working",
    ]
    assert any("rustc is rustc 1.94.0" in line for line in told), said
    assert metadata["scoring"]["judged"] == PROGRAMS
    journal = (tmp_path / "three" / ".verdicts.jsonl").read_text().split("\n")
    keys = [json.loads(line)["program"] for line in journal[1:] if line]
    assert len(keys) == len(set(keys)) == PROGRAMS


def test_a_node_that_dies_while_it_draws_changes_no_byte(
    nodes: Nodes, tmp_path: Path, capsys: pytest.CaptureFixture[str], humaneval: ProblemSet
) -> None:
    model = ModelSpec(base=str(ROOT / "demo" / "models" / "base"))
    params = SamplingParams(num_samples=6, max_new_tokens=40)
    options = EngineOptions(device="cpu")
    job = Job(model, tuple(humaneval.problems[:8]), params, "auto", options)

    def draw(output: Path, elsewhere: ClusterDrawers | None = None) -> bytes:
        generate_samples(model, job.problems, params, output, options=options, elsewhere=elsewhere)
        return output.read_bytes()

    one = draw(tmp_path / "one.jsonl")
    nodes.add()
    dies = nodes.add()
    with drawing_on(Cluster(nodes.address), [job], [tmp_path / "many.jsonl"]) as elsewhere:
        killer = when_begun(tmp_path / ".many.journal.jsonl", lambda: nodes.kill(dies))
        many = draw(tmp_path / "many.jsonl", elsewhere)
        killer.join()

    assert many == one
    rows = (tmp_path / ".many.journal.jsonl").read_text().count("task_id")
    assert rows == 48, "a sample was counted twice"
    assert capsys.readouterr().err.count(" is lost: ") <= 1


def test_a_cluster_of_this_machine_leaves_no_token_at_home(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    assert score(files, tmp_path / "local", "--ray", "local") == 0
    assert not (home / ".ray").exists()


def test_a_node_whose_model_is_another_gets_no_work(humaneval: ProblemSet) -> None:
    model = ModelSpec(base=str(ROOT / "demo" / "models" / "base"))
    options = EngineOptions(device="cpu")
    job = Job(model, tuple(humaneval.problems[:1]), SamplingParams(), "auto", options)
    settings = plan_for(job).settings()
    kind = DrawWorker(pickle.dumps(DrawOrder([job], [settings]))).prove(1)
    assert kind == "dtype float32 and attention sdpa"
    other = {**settings, "model revision": "sha256:0"}
    with pytest.raises(PreflightError, match=r"model revision is .*, the run's is sha256:0"):
        DrawWorker(pickle.dumps(DrawOrder([job], [other]))).prove(1)


def test_a_judge_is_compared_by_its_files_too(judge: Judge) -> None:
    own = Standard.of(judge)
    own.compare(own)
    with pytest.raises(PreflightError, match="the toolchain's files are not the run's"):
        own.compare(replace(own, toolchain="0"))
    with pytest.raises(PreflightError, match="another version of sigil-eval"):
        own.compare(replace(own, code="0"))
    with pytest.raises(PreflightError, match=r"answers are read with tree-sitter 9\.9, in the run"):
        own.compare(replace(own, reads_by=("tree-sitter 9.9",)))
    slower = {**own.fingerprint, "run_seconds": 99.0}
    with pytest.raises(PreflightError, match=r"run_seconds is 99\.0, the run's is 2"):
        own.compare(replace(own, fingerprint=slower))


def test_devices_of_one_machine_are_not_those_of_a_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sigil_eval.cluster.order.find_spec", lambda _: True)
    options = EngineOptions(device="cuda:0,cuda:1")
    job = Job(ModelSpec(base="x"), (), SamplingParams(), "auto", options)
    with pytest.raises(UsageError, match="names devices of one machine"):
        with drawing_on(Cluster("local"), [job], [Path("x")]):
            pass


@pytest.mark.parametrize("address", ["10.0.0.4", "ray://10.0.0.4:10001", "somewhere", ""])
def test_what_is_no_address_is_refused(
    files: tuple[Path, Path], tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(files, tmp_path / "out", "--ray", address) == 2
    assert "is no address of a cluster" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_ray_the_way_to_it_is_told(
    files: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sigil_eval.cluster.order.find_spec", lambda _: None)
    assert score(files, tmp_path / "out", "--ray", "local") == 3
    assert "pip install '.[cluster]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
