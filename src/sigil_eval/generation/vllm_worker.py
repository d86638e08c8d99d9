"""Draws tokens with vLLM, for an engine that waits in another process (`generation.vllm_engine`).

This runs in vLLM's environment, whose packages are not those of the rest: it imports nothing but
vLLM, PyTorch, and of this package what needs no more. It is told everything by lines of JSON:

    in, first   an `Order`: the model, and every request
    in          {"abort": [3, 5]}, as answers turn out to be complete
    out, first  {"ready": "0.19.1"}, vLLM's version, once the model is loaded
    out         {"drawn": [[3, 17], [5, 2048]]}: request, then the tokens of a step
    out, last   {"failed": "…"}, where that is how it ends

It ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from sigil_eval.generation.protocol import SamplingParams

Say = Callable[[Mapping[str, object]], None]


class Asked(TypedDict):
    """A request: which of the prompts, the key of its noise, and how many tokens at most."""

    prompt: int
    key: int
    limit: int


class Order(TypedDict):
    """The model's folder and how to run it; prompts as tokens; requests, numbered from 0.

    Nothing is drawn with another `version` of vLLM. `longest` is how many tokens the longest prompt
    and its answer may have; `end_tokens` end an answer. `attention` is the name of a backend, or
    auto. `graphs` has vLLM compile the model and record its kernels.
    """

    model: str
    version: str
    dtype: str
    longest: int
    batch_size: int
    remote_code: bool
    attention: str
    graphs: bool
    sampling: dict[str, Any]
    end_tokens: list[int]
    prompts: list[list[int]]
    requests: list[Asked]


def main() -> None:
    """Carry out the order of standard input."""
    say = _own_output()
    order: Order = json.loads(sys.stdin.buffer.readline())
    aborted: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(aborted,), daemon=True).start()
    try:
        _draw(order, aborted, say)
    except Exception as error:  # noqa: BLE001  (whatever it is, the other side has to be told)
        traceback.print_exc()
        say({"failed": str(error) or type(error).__name__})


def _own_output() -> Say:
    """Standard output for these lines alone: what libraries print goes to standard error."""
    lines = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return lambda message: _write(lines, message)


def _write(lines: Any, message: Mapping[str, object]) -> None:
    lines.write(json.dumps(message).encode() + b"\n")


def _listen(aborted: queue.SimpleQueue[list[int]]) -> None:
    """Take what is said meanwhile; once nobody is there to say anything, end."""
    for line in sys.stdin.buffer:
        aborted.put(json.loads(line)["abort"])
    os._exit(0)


def _draw(order: Order, aborted: queue.SimpleQueue[list[int]], say: Say) -> None:
    """Draw the tokens of every request."""
    import vllm
    from vllm.inputs import TokensPrompt
    from vllm.sampling_params import RequestOutputKind

    if vllm.__version__.partition("+")[0] != order["version"]:
        say({"ready": vllm.__version__})
        return
    engine = _engine(order)
    say({"ready": order["version"]})
    waiting = deque(enumerate(order["requests"]))
    while waiting or engine.has_unfinished_requests():
        while waiting and engine.get_num_unfinished_requests() < 2 * order["batch_size"]:
            number, asked = waiting.popleft()
            engine.add_request(
                str(number),
                TokensPrompt(prompt_token_ids=order["prompts"][asked["prompt"]]),
                vllm.SamplingParams(
                    temperature=0,
                    max_tokens=asked["limit"],
                    ignore_eos=True,
                    stop_token_ids=order["end_tokens"],
                    detokenize=False,
                    output_kind=RequestOutputKind.DELTA,
                    extra_args={"key": asked["key"]},
                ),
            )
        drawn = [[int(o.request_id), *o.outputs[0].token_ids] for o in engine.step()]
        if drawn:
            say({"drawn": drawn})
        while not aborted.empty():
            engine.abort_request([str(number) for number in aborted.get()])


def _engine(order: Order) -> Any:
    """vLLM in this process, with the model loaded and our noise in its sampler."""
    from vllm import EngineArgs, LLMEngine

    return LLMEngine.from_engine_args(
        EngineArgs(
            model=order["model"],
            skip_tokenizer_init=True,
            dtype=order["dtype"],
            max_model_len=order["longest"],
            max_num_seqs=order["batch_size"],
            enable_prefix_caching=True,
            attention_backend=order["attention"],
            enforce_eager=not order["graphs"],
            trust_remote_code=order["remote_code"],
            generation_config="vllm",
            disable_log_stats=True,
            logits_processors=[_keyed_choice(SamplingParams(**order["sampling"]))],
        )
    )


def _keyed_choice(params: SamplingParams) -> type[Any]:
    """A logits processor that leaves only the token which content-keyed sampling draws, so that
    greedy search takes it."""
    import torch
    from vllm.v1.sample.logits_processor import LogitsProcessor
    from vllm.v1.sample.logits_processor.builtin import process_dict_updates

    from sigil_eval.generation.sampling import next_tokens

    class KeyedChoice(LogitsProcessor):  # type: ignore[misc]
        """Knows for each row of the batch its key, and the list of what was drawn, which grows."""

        def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None:
            self._rows: dict[int, tuple[int, list[int]]] = {}
            self._pinned = is_pin_memory  # so that the host need not wait for the GPU

        def is_argmax_invariant(self) -> bool:
            """It is what decides."""
            return False

        def update_state(self, batch_update: Any) -> None:
            """Follow rows that come, go and move."""
            process_dict_updates(self._rows, batch_update, _row)

        def apply(self, logits: torch.Tensor) -> torch.Tensor:
            """Logits (rows, vocabulary) with all but one token ruled out."""
            rows = [self._rows[row] for row in range(len(logits))]
            state = torch.tensor([(k, len(drawn)) for k, drawn in rows], pin_memory=self._pinned)
            keys, positions = state.to(logits.device, non_blocking=True).unbind(1)
            drawn = next_tokens(logits, keys, positions, params)
            return logits.fill_(float("-inf")).scatter_(1, drawn[:, None], 0.0)

    return KeyedChoice


def _row(params: Any, prompt: object, drawn: list[int]) -> tuple[int, list[int]]:
    return params.extra_args["key"], drawn


if __name__ == "__main__":
    main()
