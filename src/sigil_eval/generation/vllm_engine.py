"""Draws samples with vLLM, which runs in an environment and a process of its own.

Its process draws tokens (`generation.vllm_worker`); this one makes prompts of tokens and samples of
what comes, as for every engine that draws tokens, and says which answers are complete. While it
reads, vLLM computes on: of an answer that is complete, a token more may be drawn, and is dropped.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from sigil_eval.errors import PreflightError
from sigil_eval.files import json_value
from sigil_eval.generation.drafts import Draft, DraftBook
from sigil_eval.generation.loading import or_explain
from sigil_eval.generation.protocol import EngineInfo, Request, Sample, SamplingParams
from sigil_eval.generation.vllm_worker import Order
from sigil_eval.redaction import without_secrets

# As requirements/vllm.in has it: another one may sample, batch or cache otherwise.
VERSION = "0.19.1"
_WORKER = "sigil_eval.generation.vllm_worker"
_LAST_LINES = 15


class VLLMEngine:
    """Draws samples from a folder of weights."""

    def __init__(
        self,
        python: Path,
        folder: Path,
        tokenizer: Any,
        params: SamplingParams,
        info: EngineInfo,
        *,
        batch_size: int,
        early_stop: bool = True,
        special_tokens: bool = True,
        remote_code: bool = False,
    ) -> None:
        """`python` is vLLM's interpreter; see `DraftBook` for `special_tokens`."""
        self.info = info
        self.batch_size = batch_size
        self.ready_at = 0.0  # when vLLM had loaded the model, by time.monotonic
        self._python, self._folder, self._remote_code = python, folder, remote_code
        self._params = params
        configured = _configuration(folder, remote_code)
        self._book = DraftBook(
            tokenizer, configured, params, early_stop=early_stop, special_tokens=special_tokens
        )

    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request; see `Engine.generate`. vLLM is started for it, and ended.

        Raises PreflightError where vLLM cannot be started, fails or dies.
        """
        drafts = self._book.open(requests)
        if drafts:
            with _Worker(self._python, self.info) as worker:
                worker.order(self._order(drafts))
                self.ready_at = time.monotonic()
                self._draw(dict(enumerate(drafts)), worker, on_sample)

    def _order(self, drafts: Sequence[Draft]) -> Order:
        prompts = {prompt: n for n, prompt in enumerate(dict.fromkeys(d.prompt for d in drafts))}
        return {
            "model": str(self._folder.resolve()),
            "version": VERSION,
            "dtype": self.info.dtype,
            "longest": max(len(draft.prompt) + draft.limit for draft in drafts),
            "batch_size": self.batch_size,
            "remote_code": self._remote_code,
            "attention": "FLASH_ATTN" if self.info.batch_invariant else "auto",
            "graphs": self.info.device != "cpu",
            "sampling": asdict(self._params),
            "end_tokens": sorted(self._book.end_ids),
            "prompts": [list(prompt) for prompt in prompts],
            "requests": [
                {"prompt": prompts[draft.prompt], "key": draft.request.key, "limit": draft.limit}
                for draft in drafts
            ],
        }

    def _draw(
        self, under_way: dict[int, Draft], worker: _Worker, on_sample: Callable[[Sample], None]
    ) -> None:
        """Make samples of what is drawn, until there are all."""
        while under_way:
            complete = []
            for number, *tokens in worker.drawn():
                draft = under_way.get(number)
                sample = None if draft is None else self._add(draft, tokens)
                if sample is not None:
                    del under_way[number]
                    complete.append(number)
                    on_sample(sample)
            if complete:
                worker.abort(complete)

    def _add(self, draft: Draft, tokens: Sequence[int]) -> Sample | None:
        for token in tokens:
            sample = self._book.add(draft, token)
            if sample is not None:
                return sample
        return None


def _configuration(folder: Path, remote_code: bool) -> Any:
    """What `DraftBook` asks of a model, without its weights."""
    from transformers import AutoConfig, GenerationConfig

    def load() -> Any:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=remote_code)
        try:
            generation = GenerationConfig.from_pretrained(folder)
        except OSError:
            generation = GenerationConfig.from_model_config(config)
        return SimpleNamespace(config=config, generation_config=generation)

    return or_explain(f"the configuration in {folder}", load)


class _Worker:
    """The process of vLLM; it ends with the context, and when this process is gone."""

    def __init__(self, python: Path, info: EngineInfo) -> None:
        self._python, self._info = python, info

    def __enter__(self) -> _Worker:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sigil-vllm-")))
            # Of what this environment has, vLLM's is shown this package and nothing beside it.
            (folder / "sigil_eval").symlink_to(Path(__file__).resolve().parents[1])
            self._log = stack.enter_context(tempfile.TemporaryFile())
            try:
                self._process = subprocess.Popen(
                    [str(self._python), "-m", _WORKER],
                    env=worker_environment(self._info, folder),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                )
            except OSError as error:
                raise PreflightError(f"vLLM cannot be started: {error}") from None
            stack.callback(self._end)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._kept.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def order(self, order: Order) -> None:
        """Say what is wanted, and wait until the model is loaded. Raises PreflightError."""
        self._say(order)
        version = self._hear("ready")
        if version != VERSION:
            raise PreflightError(
                f"{self._python} has vLLM {version}, and the vllm engine works with {VERSION} alone"
            )

    def drawn(self) -> list[list[int]]:
        """The tokens of the next step: request, token or tokens. Raises PreflightError."""
        drawn: list[list[int]] = self._hear("drawn")
        return drawn

    def abort(self, numbers: Sequence[int]) -> None:
        """Draw no more for these requests."""
        self._say({"abort": numbers})

    def _say(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is dead, and cannot say so: `_hear` does
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _hear(self, what: str) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise PreflightError(self._why_it_died())
        message = json_value(line)
        if "failed" in message:
            raise PreflightError(_failure(message["failed"]))
        return message[what]

    def _why_it_died(self) -> str:
        code = self._process.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        memory = "; signal 9 is what ends a process when the host's memory runs out"
        log = _end_of(self._log)
        return (
            f"vLLM died ({how}{memory if code == -9 else ''}). Run the same command again to go "
            f"on where it stopped. {'Its log ends:' if log else 'It has logged nothing.'}\n{log}"
        ).rstrip()


def _failure(said: str) -> str:
    """What went wrong in vLLM, and what can be done."""
    if "out of memory" in said.lower() or "memory utilization" in said or "KV cache" in said:
        return (
            f"vLLM: the device's memory does not suffice; use a smaller --batch-size or "
            f"--max-new-tokens, end what else uses the device, or use --engine hf ({said[:500]})"
        )
    return f"vLLM cannot draw from this model; --engine hf may ({said[:500]})"


def worker_environment(info: EngineInfo, packages: Path) -> dict[str, str]:
    """Its variables: it finds this package in the folder `packages`, sees its GPU alone, and no
    secret, for it asks nobody for anything."""
    environment = without_secrets(os.environ)
    environment.pop("PYTHONHOME", None)
    environment |= {
        "PYTHONPATH": str(packages),
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process: the one that can be ended
        "VLLM_BATCH_INVARIANT": str(int(info.batch_invariant)),
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_HOST_IP": "127.0.0.1",
        "HF_HUB_OFFLINE": "1",
    }
    kind, _, index = info.device.partition(":")
    if kind == "cpu":
        environment |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    elif index:
        visible = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
        environment["CUDA_VISIBLE_DEVICES"] = visible[int(index)] if visible else index
    return environment


def _end_of(log: IO[bytes]) -> str:
    """The last lines of a log."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").rstrip().split("\n")
    return "\n".join(lines[-_LAST_LINES:])
