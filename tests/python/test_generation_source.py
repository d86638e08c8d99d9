"""Finding models: folders, hub repositories (a small hub of our own), and clear refusals."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation import ModelSpec, Trust, show_prompt
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.models import resolve_files, resolve_model
from sigil_eval.generation.pool import load_model
from sigil_eval.problems import ProblemSet

ROOT = Path(__file__).parents[2]
BASE = ROOT / "demo" / "models" / "base"
ADAPTER = ROOT / "demo" / "models" / "adapter"


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with copies of base and adapter, to be spoilt."""
    shutil.copytree(BASE, tmp_path / "base")
    shutil.copytree(ADAPTER, tmp_path / "adapter")
    return tmp_path


def edit(path: Path, **changes: object) -> None:
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_an_adapter_brings_its_base() -> None:
    alone = resolve_model(ModelSpec(None, str(ADAPTER)))
    named = resolve_model(ModelSpec(str(BASE), str(ADAPTER)))
    assert alone.revisions.identity == named.revisions.identity
    assert alone.adapter is not None and alone.revisions.evaluated == alone.adapter.revision
    assert resolve_model(ModelSpec(str(ADAPTER))).revisions == named.revisions
    assert resolve_model(ModelSpec(str(BASE))).revisions.evaluated == named.base.revision


def test_a_revision_is_the_content_wherever_it_lies(copies: Path) -> None:
    original = resolve_files(str(BASE), None).revision
    moved = copies / "base"
    assert resolve_files(str(moved), None).revision == original
    (moved / "README.md").write_text("words")
    (moved / "optimizer.pt").write_bytes(b"state")
    assert resolve_files(str(moved), None).revision == original
    edit(moved / "config.json", rms_norm_eps=1e-5)
    assert resolve_files(str(moved), None).revision != original


def test_a_copy_of_the_base_will_do_and_another_model_will_not(copies: Path) -> None:
    copy = ModelSpec(str(copies / "base"), str(ADAPTER))
    assert resolve_model(copy).base.revision == resolve_files(str(BASE), None).revision
    edit(copies / "base" / "config.json", rms_norm_eps=1e-5)
    with pytest.raises(UsageError, match=r"was trained on \.\./base, not on .*--base-model"):
        resolve_model(copy)


def test_a_recorded_base_that_is_not_here_says_nothing(copies: Path) -> None:
    for recorded in ("/workspace/llama", "meta-llama/Llama-3.1-8B", "../elsewhere", None):
        edit(copies / "adapter" / "adapter_config.json", base_model_name_or_path=recorded)
        model = resolve_model(ModelSpec(str(BASE), str(copies / "adapter")))
        assert model.base.name == str(BASE)
    with pytest.raises(UsageError, match="does not name its base; use --base-model"):
        resolve_model(ModelSpec(None, str(copies / "adapter")))


def test_what_is_no_model_is_refused_by_name(copies: Path) -> None:
    empty = copies / "empty"
    empty.mkdir()
    (copies / "file").write_text("")
    for name, message in [
        (str(copies / "missing"), "no such folder, and not a valid hub id"),
        ("./missing", "no such folder, and not a valid hub id"),
        ("llama", "no such folder, and not a valid hub id"),
        ("org/na me", "no such folder, and not a valid hub id"),
        (str(copies / "file"), "is a file"),
        (str(empty), "holds neither config.json nor adapter_config.json"),
    ]:
        with pytest.raises(UsageError, match=message) as refusal:
            resolve_files(name, None)
        assert name in str(refusal.value)
    with pytest.raises(UsageError, match="no model was named"):
        resolve_model(ModelSpec(None))
    with pytest.raises(UsageError, match="is itself an adapter"):
        resolve_model(ModelSpec(str(ADAPTER), str(copies / "adapter")))


def test_a_path_under_a_folder_that_is_here_is_no_hub_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(UsageError, match=r"demo/models/bass: no such folder"):
        resolve_files("demo/models/bass", None)


def test_weights_that_can_run_code_are_refused(copies: Path) -> None:
    (copies / "base" / "model.safetensors").rename(copies / "base" / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"no \.safetensors weights .*pytorch_model\.bin"):
        resolve_model(ModelSpec(str(copies / "base")))


def test_weights_that_can_run_code_are_read_when_asked_for(copies: Path) -> None:
    weights = copies / "base" / "model.safetensors"
    torch.save(load_file(weights), copies / "base" / "pytorch_model.bin")
    trusting = ModelSpec(str(copies / "base"), trust=Trust(pickle=True))
    both = resolve_model(trusting).base
    assert "pytorch_model.bin" not in both.files, "safetensors come first, trust or not"
    weights.unlink()
    model = resolve_model(trusting)
    assert "pytorch_model.bin" in model.base.files
    info = choose_hardware("cpu", "auto")
    expected = load_model(resolve_model(ModelSpec(str(BASE))), info).state_dict()
    found = load_model(model, info).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_code_beside_a_model_runs_only_when_asked_for(
    copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = copies / "ran"
    (copies / "base" / "own.py").write_text(
        "from pathlib import Path\n"
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        f"Path({str(ran)!r}).touch()\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own'\n"
        "class OwnForCausalLM(LlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    own = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnForCausalLM"}
    edit(copies / "base" / "config.json", model_type="own", auto_map=own)
    info = choose_hardware("cpu", "auto")
    with pytest.raises(PreflightError, match="cannot be loaded"):
        load_model(resolve_model(ModelSpec(str(copies / "base"))), info)
    assert not ran.exists()
    # Where transformers copies such code to, once it is trusted.
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(copies / "code"))
    trusting = ModelSpec(str(copies / "base"), trust=Trust(remote_code=True))
    assert type(load_model(resolve_model(trusting), info)).__name__ == "OwnForCausalLM"
    assert ran.exists()


def test_broken_files_are_explained(copies: Path, humaneval: ProblemSet) -> None:
    spec = ModelSpec(str(copies / "base"), str(copies / "adapter"))
    info = choose_hardware("cpu", "auto")
    weights = copies / "adapter" / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PreflightError, match=r"adapter .*adapter on .*base cannot be loaded"):
        load_model(resolve_model(spec), info)
    weights.write_bytes(whole)

    config = copies / "adapter" / "adapter_config.json"
    text = config.read_text()
    edit(config, r=8)
    with pytest.raises(PreflightError, match=r"cannot be loaded: .*size mismatch"):
        load_model(resolve_model(spec), info)
    config.write_text("{")
    with pytest.raises(UsageError, match=r"its adapter_config\.json cannot be read"):
        resolve_model(spec)
    config.write_text(text)

    (copies / "base" / "tokenizer.json").write_text("{}")
    with pytest.raises(PreflightError, match=r"the tokenizer of .*base cannot be loaded"):
        show_prompt(spec, humaneval.problems[0])


COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_loopback"  # noqa: S105


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the model hub as its client needs, serving the demo's models.

    org/models holds them in two folders, with files beside that nobody should download;
    org/gated shows its files to nobody; org/private is there for those only who have its token;
    other names do not exist.
    """

    files: dict[str, bytes]
    served: list[str]

    def do_GET(self) -> None:
        """Answer with a repository's files or with one file."""
        path = self.path.split("?")[0]
        if path.startswith("/api/models/"):
            self._describe("/".join(path.split("/")[3:5]))
        elif "/resolve/" in path:
            repository, _, place = path[1:].partition("/resolve/")
            self._serve(repository, place.partition("/")[2])
        else:
            self._answer(404, b"", {})

    do_HEAD = do_GET  # noqa: N815

    def _describe(self, repository: str) -> None:
        known = ["org/models", "org/gated"]
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            known.append("org/private")
        if repository not in known:
            self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})
            return
        siblings = [{"rfilename": name} for name in self.files]
        body = json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings})
        self._answer(200, body.encode(), {"Content-Type": "application/json"})

    def _serve(self, repository: str, file: str) -> None:
        if repository == "org/gated":
            self._answer(403, b"", {"X-Error-Code": "GatedRepo"})
            return
        content = self.files[file]
        if self.command == "GET":
            self.served.append(file)
        etag = hashlib.sha256(content).hexdigest()
        self._answer(200, content, {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    """The address of a running hub."""
    Hub.files = {
        f"{folder.name}/{path.name}": path.read_bytes()
        for folder in (BASE, ADAPTER)
        for path in folder.iterdir()
    }
    config = json.loads(Hub.files["adapter/adapter_config.json"])
    config["base_model_name_or_path"] = "org/models/base"
    Hub.files["adapter/adapter_config.json"] = json.dumps(config).encode()
    for extra in ("base/pytorch_model.bin", "base/original/params.json", "adapter/optimizer.pt"):
        Hub.files[extra] = b"{}"
    Hub.served = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


ASK = """
import json, sys
from sigil_eval.errors import SigilEvalError
from sigil_eval.generation import ModelSpec
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.pool import load_model
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.models import resolve_model

for base, checkpoint in json.loads(sys.argv[1]):
    try:
        model = resolve_model(ModelSpec(base, checkpoint))
        load_model(model, choose_hardware("cpu", "auto"))
        said = [model.base.revision, model.adapter and model.adapter.revision]
    except SigilEvalError as error:
        said = [type(error).__name__, str(error)]
    print(json.dumps(said))
"""


def ask(
    address: str, home: Path, *specs: tuple[str | None, str | None], token: str = ""
) -> list[tuple[str, str | None]]:
    """Resolve and load models in a process whose hub is at `address`."""
    done = run_with_hub(address, home, ASK, json.dumps(specs), token=token)
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def run_with_hub(
    address: str, home: Path, program: str, *arguments: str, token: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program in a process whose hub is at `address`."""
    environment = {
        **{key: value for key, value in os.environ.items() if "proxy" not in key.lower()},
        "PYTHONPATH": str(ROOT / "src"),
        "HF_ENDPOINT": address,
        "HF_HOME": str(home),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",
    }
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_hub_repositories(hub: str, tmp_path: Path) -> None:
    adapter, absent, gated, folder, other = ask(
        hub,
        tmp_path,
        ("org/models/base", "org/models/adapter"),
        ("org/absent", None),
        ("org/gated/base", None),
        ("org/models/checkpoint-1", None),
        ("org/models/base", None),
    )
    assert (adapter, other) == ((COMMIT, COMMIT), (COMMIT, None))
    assert absent[0] == gated[0] == "PreflightError" and folder[0] == "UsageError"
    assert "org/absent" in str(absent[1]) and "HF_TOKEN" in str(absent[1])
    assert f"accept its license at {hub}/org/gated" in str(gated[1])
    assert "no folder 'checkpoint-1'" in str(folder[1])
    asked_for = {f"base/{path.name}" for path in BASE.iterdir()}
    asked_for |= {f"adapter/{path.name}" for path in ADAPTER.iterdir()}
    assert set(Hub.served) <= asked_for - {"adapter/README.md"}

    private = ("org/private/base", None)
    (missing,) = ask(hub, tmp_path, private)
    assert missing[0] == "PreflightError" and "set HF_TOKEN if it is private" in str(missing[1])
    assert ask(hub, tmp_path, private, token=TOKEN) == [(COMMIT, None)]

    # Without the hub, what lies in the cache will do; nothing else can be had.
    nowhere = "http://127.0.0.1:9"
    cached, unreachable = ask(
        nowhere, tmp_path, ("org/models/base", "org/models/adapter"), ("org/new", None)
    )
    assert cached == (COMMIT, COMMIT)
    assert unreachable[0] == "PreflightError"
    assert "org/new: the hub cannot be reached" in str(unreachable[1])


FIND = """
import json, sys
from sigil_eval.generation.checkpoints import find_checkpoints

print(json.dumps([found.name for found in find_checkpoints(sys.argv[1:]).checkpoints]))
"""


def test_the_checkpoints_in_a_repository_are_found(hub: str, tmp_path: Path) -> None:
    for folder in ("checkpoint-9000", "checkpoint-500", "checkpoint-best"):
        Hub.files[f"{folder}/adapter_config.json"] = b"{}"
    done = run_with_hub(hub, tmp_path, FIND, "org/models", "org/other/checkpoint-700")
    assert json.loads(done.stdout) == [
        "org/models/checkpoint-500",
        "org/other/checkpoint-700",
        "org/models/checkpoint-9000",
    ]
    refused = run_with_hub(hub, tmp_path, FIND, "org/absent")
    assert "org/absent: no folder of that name here, and no such repository" in refused.stderr
