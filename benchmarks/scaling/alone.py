"""What of scoring only the machine does that a run is started on: the share that no cluster makes
faster.

    python benchmarks/scaling/alone.py

Reads the known answers of the published problems, 2,294 samples, as answers of a model; takes what
others have read of five times as many; plans and packs the first as for a cluster; then makes
result rows of verdicts that are there.
"""

from __future__ import annotations

import json
import pickle
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sigil_eval.files import write_jsonl
from sigil_eval.judging import verdict
from sigil_eval.judging.batching import plan_batches
from sigil_eval.problems import ProblemSet, load_problem_set
from sigil_eval.run_folder import MODES
from sigil_eval.scoring.controls import controls_of
from sigil_eval.scoring.forms import FORMS, completion_in_form
from sigil_eval.scoring.readers import readers_here
from sigil_eval.scoring.reading import FEW, Found, SampleReader, Unread
from sigil_eval.scoring.rows import Judgements, result_rows


def main() -> None:
    problem_set = load_problem_set("humaneval-rust")
    completions = [
        (problem.task_id, text)
        for problem in problem_set.problems
        for text in [
            *(completion_in_form(problem, form) for form in FORMS),
            *(control.completion for control in controls_of(problem)),
        ]
    ]
    with tempfile.TemporaryDirectory() as temporary:
        samples = Path(temporary) / "samples.jsonl"
        rows = [{"task_id": task, "completion": text} for task, text in completions]
        samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
        reader, began = SampleReader(problem_set), time.process_time()
        answers = [answer for _, answer in reader.read(samples)]
        told("reading answers", began, len(answers), "sample")
        taken(problem_set, rows, Path(temporary) / "more.jsonl")
        found = (program for a in answers for program in (a.program, a.published) if program)
        programs = list({program.sha256: program for program in found}.values())
        began = time.process_time()
        batches = list(plan_batches(programs, 128, at_once=8))
        packed = [pickle.dumps(batch.programs) for batch in batches]
        told("planning and packing", began, len(programs), "program")
        print(
            f"  {sum(map(len, packed)) / len(programs):.0f} bytes a program, {len(batches)} batches"
        )
        verdicts = {program.sha256: verdict.passed() for program in programs}
        judgements = Judgements(verdicts, {}, problem_set.columns, problem_set.headline)
        began = time.process_time()
        for mode in MODES:
            write_jsonl(samples.with_suffix(".out"), result_rows(samples, reader, judgements, mode))
        told("writing rows in both modes", began, len(answers), "sample")


def taken(problem_set: ProblemSet, rows: Sequence[Mapping[str, str]], path: Path) -> None:
    """Tell what this process has to do with a text that others read."""
    copies = range(5)
    write_jsonl(
        path,
        ({**row, "completion": f"{row['completion']}\n// {n}\n"} for n in copies for row in rows),
    )
    readers, began = readers_here(problem_set, 2), 0.0
    assert readers is not None

    def noted(pieces: Iterable[Sequence[Unread]]) -> Iterator[Sequence[Found]]:
        nonlocal began
        began = time.process_time()
        yield from readers(pieces)

    count = SampleReader(problem_set).learn([path], noted)
    told("taking what others read", began, count - FEW, "sample")


def told(what: str, began: float, count: int, unit: str) -> None:
    print(f"{what}: {1e3 * (time.process_time() - began) / count:.3f} ms a {unit}", flush=True)


if __name__ == "__main__":
    main()
