"""The evaluation as a whole: prove the judge, generate, score in both modes, report.

Each phase keeps a journal in the output folder, so a run that was killed goes on where it was
when the same command is given again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sigil_eval.console import ProgressLine, format_duration, say, warn
from sigil_eval.documents.metadata import ModelRecord, Rescored
from sigil_eval.documents.metrics import Conditions
from sigil_eval.errors import IncompleteError, PreflightError, UsageError
from sigil_eval.files import read_jsonl, sha256_file, write_atomic
from sigil_eval.generation import (
    EngineOptions,
    ModelSpec,
    SamplingParams,
    Shard,
    Trust,
    describe_prompting,
    generate_samples,
    show_prompt,
)
from sigil_eval.generation.engines import ENGINES
from sigil_eval.generation.progress import GenerationProgress
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.toolchain import Crates, find_crates, find_toolchain
from sigil_eval.problems import ProblemSet, load_problem_set
from sigil_eval.provisioned import checkout
from sigil_eval.record.deviations import (
    Deviation,
    deviations_of_generation,
    deviations_of_machine,
    generation_of_models,
    refuse_deviations,
)
from sigil_eval.record.durations import durations_of, read_steps
from sigil_eval.record.metadata import Outcome, Request, Tools, collect_metadata
from sigil_eval.record.models import model_record, name_on_record
from sigil_eval.record.software import judge_code_sha256
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reproduce import rescore
from sigil_eval.run_folder import (
    BASE,
    MODEL_LABELS,
    TUNED,
    Mode,
    PhaseTimes,
    RunFolder,
    result_stem,
)
from sigil_eval.scoring.proof import Proof, prove
from sigil_eval.scoring.score import ScoreSummary, score_files
from sigil_eval.settings import K_VALUES, k_above

if TYPE_CHECKING:
    from sigil_eval.generation.loading import ModelPool

NEEDED_BYTES = 500 << 20


@dataclass(frozen=True)
class RunOptions:
    """Everything a person may choose about an evaluation."""

    base_model: str
    checkpoint_path: str
    skip_base: bool
    skip_finetuned: bool
    base_revision: str | None
    checkpoint_revision: str | None
    engine: EngineOptions
    trust: Trust
    num_samples: int
    k_values: tuple[int, ...]
    temperature: float
    top_p: float
    top_k: int
    max_new_tokens: int
    seed: int
    prompt_mode: str
    problem_set: str
    judge: JudgeSettings
    modes: tuple[Mode, ...]
    output_dir: Path
    provision_state: Path | None
    price_per_hour: float | None
    demo: bool
    strict: bool
    accepted_deviations: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_namespace(cls, options: argparse.Namespace) -> Self:
        """From the options of `sigil-eval run`."""
        from sigil_eval.cli import judge_settings

        given = vars(options)
        names = set(cls.__dataclass_fields__) - {"judge", "arguments", "engine", "trust"}
        arguments = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in given.items()
            if name != "command"
        }
        return cls(
            **{name: given[name] for name in names},
            judge=judge_settings(options),
            engine=_engine_options(options),
            trust=_trust(options),
            arguments=arguments,
        )

    @property
    def folder(self) -> RunFolder:
        """Where everything goes."""
        return RunFolder(self.output_dir)

    @property
    def labels(self) -> tuple[str, ...]:
        """The models to evaluate: `base`, `finetuned`, or both."""
        skipped = {BASE: self.skip_base, TUNED: self.skip_finetuned}
        return tuple(label for label in MODEL_LABELS if not skipped[label])


def run_evaluation(options: RunOptions, confirm: Callable[[], None]) -> int:
    """Carry out a whole evaluation and return the exit code.

    `confirm` is asked before anything is written when there is to be no sandbox. Raises
    UsageError and PreflightError before any work when the request or the machine is not fit,
    and IncompleteError when infrastructure left samples without a verdict.
    """
    problem_set, known = check_evaluation(options, confirm)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    _check_disk(options.output_dir)
    with options.folder.lock():
        times = options.folder.clock()
        _announce(options, problem_set)
        with Judge(options.judge) as judge:
            with times.phase("proof"):
                proof = prove_aloud(judge, problem_set)
            models = _generate_all(options, problem_set, times)
            deviations = [*known, *deviations_of_generation(generation_of_models(models), known)]
            _refuse(options, deviations)
            with times.phase("scoring"):
                summary = _score(options, problem_set, judge)
            with times.phase("re-scoring"):
                rescored = rescore(options.output_dir, problem_set, judge, seed=options.seed)
            rustc, conditions = judge.toolchain.rustc, _conditions(judge)
        with times.phase("reports"):
            _write_metrics(options, problem_set, conditions)
        _write_metadata(
            options, problem_set, times, proof, models, deviations, rustc, summary, rescored
        )
        write_reports(options.output_dir)
        _finish(options, times)
    check_complete(summary)
    return 0


def check_evaluation(
    options: RunOptions, confirm: Callable[[], None]
) -> tuple[ProblemSet, list[Deviation]]:
    """What a run refuses before it does anything; the problems, and the known deviations."""
    problem_set = load_problem_set(options.problem_set)
    _check_request(options)
    confirm()
    _find_models(options)
    known = _check_deviations(options, problem_set)
    _check_prompting(options)
    return problem_set, known


def try_evaluation(options: RunOptions, confirm: Callable[[], None]) -> int:
    """Check all that can be checked without writing anything: the request, the models' files, their
    tokenizers and prompts, the device, the deviations, the compiler. Raises as a run would."""
    problem_set, deviations = check_evaluation(options, confirm)
    info = options.engine.kind.describe(options.engine)
    say(f"generating on {info.device} in {info.dtype}, attention {info.attention}")
    for label in options.labels:
        spec = _model_spec(options, label)
        prompt = show_prompt(spec, problem_set.problems[0], options.prompt_mode, options.engine)
        say(f"{label}: {name_on_record(spec.name)}, prompts of {len(prompt)} characters and more")
    toolchain = find_toolchain()
    say(f"judging with {toolchain.version}")
    say_what_is_left_out(problem_set, find_crates(toolchain))
    accepted = [d.id for d in deviations if d.id in options.accepted_deviations]
    say(f"deviations: {len(deviations)}, of which accepted: {', '.join(accepted) or 'none'}")
    return 0


def score_one_file(
    samples: Path,
    problem_set: ProblemSet,
    output: Path,
    settings: JudgeSettings,
    modes: Sequence[Mode],
    k_values: Sequence[int] | None,
) -> int:
    """Prove the judge, score one file in `modes`, write metrics beside the results."""
    from sigil_eval.reporting.terminal import print_summary

    ks = _reachable(samples, k_values)
    output.mkdir(parents=True, exist_ok=True)
    with RunFolder(output).lock(), Judge(settings) as judge:
        prove_aloud(judge, problem_set)
        summary = score_files({samples.stem: samples}, problem_set, output, judge, modes)
        conditions = _conditions(judge)
    names = {samples.stem: samples.stem}
    _write_mode_metrics(output, problem_set, names, modes, ks, conditions)
    print_summary(output)
    check_complete(summary)
    return 0


def check_complete(summary: ScoreSummary) -> None:
    """Raises IncompleteError when some results have no verdict."""
    if summary.infrastructure:
        raise IncompleteError(
            f"{summary.infrastructure} results have no verdict because the machinery failed, not "
            "the models. The same command tries those again"
        )


def generate_one_file(options: argparse.Namespace) -> int:
    """Generate samples with one model into one file, or print a task's prompt."""
    problem_set = load_problem_set(options.problem_set)
    specs = [_one_spec(options, checkpoint) for checkpoint in options.checkpoint or [None]]
    if options.show_prompt is not None:
        problem = problem_set.by_id.get(options.show_prompt)
        if problem is None:
            raise UsageError(f"no problem '{options.show_prompt}' in {problem_set.name}")
        sys.stdout.write(
            show_prompt(specs[0], problem, options.prompt_mode, _engine_options(options)) + "\n"
        )
        return 0
    if options.output is None:
        raise UsageError("where should the samples go? Name a file: --output FILE.jsonl")
    models = ENGINES[options.engine].model_pool(keep_base=len(specs) > 1)
    for spec, output in zip(specs, _outputs(specs, options.output), strict=True):
        _generate_file(options, problem_set, spec, output, models)
    return 0


def _outputs(specs: Sequence[ModelSpec], output: Path) -> list[Path]:
    """A file of samples for each model: the one that was named, or one each in that folder."""
    if len(specs) == 1:
        return [output]
    names = [Path(spec.name).name for spec in specs]
    if len(set(names)) < len(names):
        names = [spec.name.strip("/").replace("/", "--") for spec in specs]
    return [output / f"{name}.jsonl" for name in names]


def _generate_file(
    options: argparse.Namespace,
    problem_set: ProblemSet,
    spec: ModelSpec,
    output: Path,
    models: ModelPool | None,
) -> None:
    shard = Shard.parse(options.shard) if options.shard else None
    total = len(problem_set.problems) * options.num_samples
    total = len(range(shard.number - 1, total, shard.count)) if shard else total
    with ProgressLine(f"generating {output.stem}", total) as line:
        summary = generate_samples(
            spec,
            problem_set.problems,
            _sampling_params(options),
            output,
            prompt_mode=options.prompt_mode,
            options=_engine_options(options),
            shard=shard,
            models=models,
            progress=GenerationProgress(line, options.price_per_hour),
        )
    say(
        f"{summary.samples} samples ({summary.resumed_samples} from an earlier run) in "
        f"{format_duration(summary.seconds)}: {shard.output(output) if shard else output}"
    )


def _check_request(options: RunOptions) -> None:
    k = k_above(options.k_values, options.num_samples)
    if k is not None:
        raise UsageError(
            f"pass@{k} needs at least {k} samples per problem, and --num-samples is "
            f"{options.num_samples}. Raise it, or leave {k} out of --k-values"
        )
    if not options.labels:
        raise UsageError("--skip-base and --skip-finetuned together leave nothing to do")


def _find_models(options: RunOptions) -> None:
    if not options.engine.kind.needs_model_files:
        return
    from sigil_eval.generation.models import resolve_model

    for label in options.labels:
        resolve_model(_model_spec(options, label))


def _check_deviations(options: RunOptions, problem_set: ProblemSet) -> list[Deviation]:
    """What is known to depart from the pins; a strict run is refused before it begins."""
    known = deviations_of_machine(options.provision_state, options.judge.sandbox_mode, problem_set)
    if options.strict:
        info = options.engine.kind.describe(options.engine)
        drawn_with = [(info.device, info.attention)]
        _refuse(options, [*known, *deviations_of_generation(drawn_with, known)])
    return known


def _check_prompting(options: RunOptions) -> None:
    """Have two models prompted alike, and say where that is not what the fine-tune brings."""
    if TUNED in options.labels:
        spec = _model_spec(options, "finetuned")
        note = describe_prompting(spec, options.prompt_mode, options.engine).note
        if note:
            warn(note)


def _refuse(options: RunOptions, found: Sequence[Deviation]) -> None:
    if options.strict:
        refuse_deviations(found, options.accepted_deviations)


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise PreflightError(
            f"{folder}: {free >> 20} MiB are free, and a run needs {NEEDED_BYTES >> 20} MiB. "
            "Free some space, or name another folder with --output-dir"
        )


def _announce(options: RunOptions, problem_set: ProblemSet) -> None:
    say(
        f"{problem_set.name}: {len(problem_set.problems)} problems × {options.num_samples} samples "
        f"× {len(options.labels)} model{'s' if len(options.labels) > 1 else ''}, "
        f"{' and '.join(options.modes)}, into {options.output_dir}"
    )


def prove_aloud(judge: Judge, problem_set: ProblemSet) -> Proof:
    """Prove the judge, and say what was proved and what cannot be judged here."""
    say(f"judging with {judge.toolchain.version} in {judge.sandbox.description}")
    say_what_is_left_out(problem_set, judge.crates)
    proof = prove(judge, problem_set)
    for line in proof.lines():
        say(f"proved: {line}")
    return proof


def say_what_is_left_out(problem_set: ProblemSet, crates: Crates) -> None:
    """Warn of problems that cannot be scored for want of crates: why, and how to get them."""
    complaint = crates.complaint(
        [p.task_id for p in problem_set.problems if not crates.has(p.crates)]
    )
    if complaint:
        warn(complaint)


def _model_spec(options: RunOptions, label: str) -> ModelSpec:
    return _one_spec(options, options.checkpoint_path if label == TUNED else None)


def _one_spec(options: RunOptions | argparse.Namespace, checkpoint: str | None) -> ModelSpec:
    return ModelSpec(
        base=options.base_model,
        checkpoint=checkpoint,
        base_revision=options.base_revision,
        checkpoint_revision=options.checkpoint_revision,
        trust=options.trust if isinstance(options, RunOptions) else _trust(options),
        prompt_as_base=isinstance(options, RunOptions) and len(options.labels) > 1,
    )


def _trust(options: argparse.Namespace) -> Trust:
    return Trust(pickle=options.allow_pickle, remote_code=options.trust_remote_code)


def _engine_options(options: argparse.Namespace) -> EngineOptions:
    return EngineOptions(
        engine=options.engine,
        batch_size=options.batch_size,
        device=options.device,
        dtype=options.dtype,
        quantization=options.quantization,
        merge=options.merge,
        attention=options.attention,
        base_url=options.base_url if ENGINES[options.engine].needs_base_url else None,
    )


def _generate_all(
    options: RunOptions, problem_set: ProblemSet, times: PhaseTimes
) -> dict[str, ModelRecord]:
    """Samples of every model; what is known of each, for the metadata."""
    known: dict[str, ModelRecord] = {}
    models = options.engine.kind.model_pool()
    for label in options.labels:
        total = len(problem_set.problems) * options.num_samples
        with times.phase(f"generation {label}"), ProgressLine(f"generating {label}", total) as line:
            summary = generate_samples(
                _model_spec(options, label),
                problem_set.problems,
                _sampling_params(options),
                options.folder.samples(label),
                prompt_mode=options.prompt_mode,
                options=options.engine,
                models=models,
                progress=GenerationProgress(line, options.price_per_hour),
            )
        known[label] = model_record(_model_spec(options, label), summary)
    return known


def _sampling_params(options: RunOptions | argparse.Namespace) -> SamplingParams:
    return SamplingParams(
        num_samples=options.num_samples,
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k,
        max_new_tokens=options.max_new_tokens,
        seed=options.seed,
    )


def _score(options: RunOptions, problem_set: ProblemSet, judge: Judge) -> ScoreSummary:
    files = {result_stem(label): options.folder.samples(label) for label in options.labels}
    return score_files(files, problem_set, options.output_dir, judge, options.modes)


def _conditions(judge: Judge) -> Conditions:
    """What the verdicts depend on besides the programs."""
    return {
        **judge.fingerprint(),
        "crates_fault": judge.crates.fault,
        "clippy_required": judge.settings.clippy == "required",
        "code_sha256": judge_code_sha256(),
    }


def _write_metrics(options: RunOptions, problem_set: ProblemSet, conditions: Conditions) -> None:
    names = {label: result_stem(label) for label in options.labels}
    _write_mode_metrics(
        options.output_dir,
        problem_set,
        names,
        options.modes,
        options.k_values,
        conditions,
        options.seed,
    )


def _write_mode_metrics(
    output: Path,
    problem_set: ProblemSet,
    names: Mapping[str, str],
    modes: Sequence[Mode],
    k_values: Sequence[int],
    conditions: Conditions,
    seed: int = 0,
) -> None:
    def results(mode: Mode) -> dict[str, Path]:
        return {label: RunFolder(output).results(mode, stem) for label, stem in names.items()}

    for mode in modes:
        unrestricted = results("no-policy") if "no-policy" in modes else None
        metrics = build_metrics(
            mode,
            results(mode),
            problem_set,
            k_values,
            unrestricted=unrestricted,
            seed=seed,
            judge=conditions,
        )
        write_metrics(RunFolder(output).metrics(mode), metrics)


def _write_metadata(
    options: RunOptions,
    problem_set: ProblemSet,
    times: PhaseTimes,
    proof: Proof,
    models: Mapping[str, ModelRecord],
    deviations: Sequence[Deviation],
    rustc: Path,
    summary: ScoreSummary,
    rescored: Rescored,
) -> None:
    metadata = collect_metadata(
        Request(
            command=_command_line(checkout()),
            arguments=options.arguments,
            seeds={"sampling": options.seed},
            demo=options.demo,
            accepted_deviations=options.accepted_deviations,
            price_per_hour=options.price_per_hour,
        ),
        Tools(checkout(), rustc, options.judge.sandbox_mode),
        problem_set,
        durations_of(times.seconds, times.invocations, read_steps(options.provision_state)),
        Outcome(
            models=models,
            deviations=deviations,
            proof=proof.to_row(),
            scoring={
                "samples": summary.samples,
                "programs": summary.programs,
                "judged": summary.judged,
                "infrastructure": summary.infrastructure,
                "retries": summary.retries,
            },
            rescored=rescored,
            files=_file_hashes(options),
        ),
    )
    write_atomic(
        options.folder.metadata,
        json.dumps(metadata, indent=2, ensure_ascii=False) + "\n",
    )


def _file_hashes(options: RunOptions) -> dict[str, str]:
    """sha256 of the samples and the results, by their names in the output folder."""
    folder = options.folder
    samples = [folder.samples(label) for label in options.labels]
    results = [
        folder.results(mode, result_stem(label))
        for mode in options.modes
        for label in options.labels
    ]
    return {
        path.relative_to(folder.path).as_posix(): sha256_file(path) for path in (*samples, *results)
    }


def _command_line(root: Path) -> list[str]:
    """The command as somebody in a checkout would type it."""
    program = Path(sys.argv[0]).resolve()
    if program.is_relative_to(root):
        return ["python", str(program.relative_to(root)), *sys.argv[1:]]
    return [program.name, *sys.argv[1:]]


def _finish(options: RunOptions, times: PhaseTimes) -> None:
    from sigil_eval.reporting.terminal import print_summary

    print_summary(options.output_dir)
    spent = ", ".join(f"{name} {format_duration(s)}" for name, s in times.seconds.items())
    say(f"time: {spent}")


def _reachable(samples: Path, wanted: Sequence[int] | None) -> tuple[int, ...]:
    """The k to report: those asked for, else those of 1, 10 and 100 that every problem reaches."""
    if wanted is not None:
        return tuple(wanted)
    counts = Counter(row.get("task_id") for _, row in read_jsonl(samples))
    if not counts:
        raise UsageError(f"{samples}: holds no samples")
    return tuple(k for k in K_VALUES.default if k <= min(counts.values()))
