"""How a cluster scales whose workers only take their time: what is left is what we and Ray cost.

    python benchmarks/scaling/simulated.py [--seconds 0.5] [--tasks 96] [--workers 1,2,4,8]

A worker takes `--seconds` for each task, which is as large as a batch of programs. With 0 seconds
it shows how many tasks a second can be handed out at all. It needs the extra `cluster`.
"""

from __future__ import annotations

import argparse
import os
import pickle
import time
from pathlib import Path

from nodes import Nodes  # before Ray is imported: it sets what Ray then reads
from sleeper import Sleeper

from sigil_eval.cluster.crew import Crew
from sigil_eval.cluster.order import Done, Order

BATCH_BYTES = 128 * 920  # pickled programs of the published problems


def seconds_for(address: str, workers: int, tasks: int, seconds: float) -> float:
    """How long all tasks take, once all workers are ready."""
    order = Order(address, Sleeper, pickle.dumps(seconds), most_per_node=workers)
    with Crew(order) as crew:
        while crew.workers < workers:
            list(crew.work([bytes(8)]))  # hears how many there are
        began = time.monotonic()
        done = [
            m for m in crew.work(bytes(BATCH_BYTES) for _ in range(tasks)) if isinstance(m, Done)
        ]
        took = time.monotonic() - began
    assert len(done) == tasks
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--tasks", type=int, default=96)
    parser.add_argument("--workers", default="1,2,4,8")
    given = parser.parse_args()
    counts = [int(part) for part in given.workers.split(",")]
    found = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = ":".join(filter(None, found))  # nodes find the sleeper there
    with Nodes() as nodes:
        nodes.add(cpus=max(counts))
        first = 0.0
        for workers in counts:
            took = seconds_for(nodes.address, workers, given.tasks, given.seconds)
            first = first or took * counts[0]
            ideal = given.seconds * -(-given.tasks // workers)
            print(
                f"{workers} workers: {took:.2f} s, {given.tasks / took:.1f} tasks/s, "
                f"{first / took:.2f} times one worker, {100 * ideal / took:.0f} % of the ideal",
                flush=True,
            )


if __name__ == "__main__":
    main()
