"""The vllm engine: a vLLM server of our own, in its own environment, on loopback.

vLLM and the other engines want different versions of transformers, so it lives in a virtual
environment of its own; SIGIL_VLLM_PYTHON names the interpreter there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.engines.kind import DrawingOptions, EngineKind
from sigil_eval.generation.engines.local import hardware_for, largest_batch
from sigil_eval.generation.engines.openai import OpenAIEngine
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.model_files import ADAPTER_CONFIG
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.prepared import Prepared, prepare_model
from sigil_eval.generation.protocol import Engine, EngineInfo, ModelSpec, SamplingParams
from sigil_eval.provisioned import VARIABLES, provided, setup_command
from sigil_eval.server import wait_until_up

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

START_SECONDS = 900.0
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


class VLLM(EngineKind):
    """vLLM with adapters beside the weights; prompts are put as for the engines of this process."""

    name = "vllm"
    summary = "in an environment of its own"
    needs_model_files = True

    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        """See `prepare_model`."""
        return prepare_model(spec, prompt_mode)

    def describe(self, options: DrawingOptions) -> EngineInfo:
        """The device and precision that the server is told; its attention is its own choice."""
        info = hardware_for(options)
        return EngineInfo(info.device, info.dtype, "vllm", adapters="unmerged")

    @contextlib.contextmanager
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> Iterator[Engine]:
        """Start the server; see `vllm_engine`."""
        assert prepared.model is not None
        size = options.batch_size or largest_batch(info)
        with vllm_engine(
            prepared.model, params, info, batch_size=size, early_stop=options.early_stop
        ) as engine:
            yield engine


def vllm_python() -> Path:
    """The interpreter of vLLM's environment. Raises UsageError where there is none."""
    named = provided("vllm_python")
    if named is None or not os.access(named.value, os.X_OK):
        raise UsageError(
            "the vllm engine needs vLLM in an environment of its own: "
            f"`{setup_command('--only vllm')}` makes one; or set {VARIABLES['vllm_python']} to the "
            "bin/python of one"
        )
    return Path(named.value)


@contextlib.contextmanager
def vllm_engine(
    model: ResolvedModel,
    params: SamplingParams,
    info: EngineInfo,
    *,
    batch_size: int,
    early_stop: bool,
    more_arguments: Sequence[str] = (),
) -> Iterator[OpenAIEngine]:
    """Serve a model, its adapter unmerged, and draw from it; the server ends with the context.

    Raises PreflightError with the end of the server's log when it does not come up.
    """
    token = secrets.token_urlsafe(24)
    with tempfile.TemporaryFile() as log:
        port = _free_port()
        command = [str(vllm_python()), *_arguments(model, info, port, batch_size)]
        command += more_arguments
        with subprocess.Popen(
            command, env=_environment(token), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as server:
            try:
                address = f"http://127.0.0.1:{port}"
                if not wait_until_up(f"{address}/health", START_SECONDS, _alive(server)):
                    raise PreflightError(f"vLLM did not come up; its log ends:\n{_tail(log)}")
                yield OpenAIEngine(
                    f"{address}/v1",
                    "adapter" if model.adapter else "base",
                    params,
                    chat=False,
                    early_stop=early_stop,
                    concurrency=batch_size,
                    token=token,
                )
            finally:
                server.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(timeout=30)
                server.kill()


def _environment(token: str) -> dict[str, str]:
    """The server's variables; the token is no argument, which everybody could read."""
    environment = {**os.environ, "VLLM_API_KEY": token, "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)  # it names the packages of another environment
    return environment


def _arguments(model: ResolvedModel, info: EngineInfo, port: int, batch_size: int) -> list[str]:
    """What follows `python` on the server's command line."""
    base = fetch_weights(model.base)
    arguments = ["-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1"]
    arguments += ["--port", str(port), "--model", str(base.folder.resolve())]
    arguments += ["--served-model-name", "base", "--dtype", info.dtype]
    arguments += ["--max-num-seqs", str(batch_size), "--generation-config", "vllm"]
    if base.trust.remote_code:
        arguments.append("--trust-remote-code")
    if model.adapter is not None:
        adapter = fetch_weights(model.adapter)
        wanted = adapter.config().get("r", 8)
        if not isinstance(wanted, int) or wanted < 1:
            raise UsageError(f"{adapter.name}: its {ADAPTER_CONFIG} has {wanted!r} for its rank r")
        rank = next((rank for rank in _RANKS if rank >= wanted), wanted)
        arguments += ["--enable-lora", "--max-lora-rank", str(rank)]
        arguments += ["--lora-modules", f"adapter={adapter.folder.resolve()}"]
    return arguments


def _alive(server: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: server.poll() is None


def _free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _tail(log: IO[bytes]) -> str:
    """The last lines of a log."""
    log.seek(0)
    return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-15:])
