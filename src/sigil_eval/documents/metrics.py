"""metrics.json: what the results of one policy mode say.

Scores, rates and differences are shares (0 to 1); differences are fine-tuned minus base. Samples
whose outcome is infrastructure or unscorable are counted and shown, and are in no denominator.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict, get_args

from sigil_eval.documents.constraints import (
    AtLeastOne,
    Constraint,
    Count,
    Name,
    NotNegative,
    Sha256,
    Share,
    Tasks,
    also,
)
from sigil_eval.documents.estimates import EstimateRow, Interval
from sigil_eval.documents.sweep import Sweep
from sigil_eval.run_folder import Mode
from sigil_eval.settings import Column, SandboxMode

METRICS_VERSION: Literal[4] = 4

RateName = Literal[
    "compile",
    "clippy_clean",
    "main_free",
    "extraction_failure",
    "truncated",
    "policy_reject",
    "uses_unsafe",
    "one_process",
    "several_definitions",
]
VerdictKind = Literal["better", "worse", "no_evidence", "too_little_data"]
type Counts = dict[str, AtLeastOne]
_BY_K = Constraint(propertyNames={"pattern": "^[1-9][0-9]*$"})
type Scores = Annotated[dict[str, ScoreRow | None], _BY_K]
type Differences = Annotated[dict[str, EstimateRow | None], _BY_K]


class PinnedProblems(TypedDict):
    """The problem set that the results belong to."""

    name: str
    """Its name, or the file's for a set of somebody's own."""
    sha256: Sha256
    """Of its file."""
    errata_sha256: Sha256 | None
    """Of the file of its errata."""
    plus_sha256: Sha256 | None
    """Of the file of its plus cases."""
    problems: Count
    """How many problems it has."""
    flagged: Tasks
    """Problems that measure little, which are in all scores but those without_flagged."""


class LimitsRow(TypedDict):
    """What a program may use."""

    compile_seconds: float
    """Processor time of rustc for one program."""
    run_seconds: float
    """Processor time of one program's tests."""
    compile_memory: int
    """Bytes for rustc."""
    run_memory: int
    """Bytes for a program's tests."""


class Fingerprint(LimitsRow):
    """What a verdict depends on besides the program: verdicts are reused only under it."""

    rustc: str
    """The compiler's version line."""
    sandbox: SandboxMode
    """What the programs ran in."""
    crates: list[str]
    """The crates that programs could use."""


@also(additionalProperties=True)
class Conditions(Fingerprint):
    """The conditions under which the verdicts were given."""

    crates_fault: NotRequired[str]
    """Why some crates were missing, and with them the verdicts of the problems that need them;
    empty where none were."""
    clippy_required: bool
    """Whether a program with lints could not pass."""
    code_sha256: Sha256
    """Of the sources that extract, judge and apply the policy."""


class ScoreRow(EstimateRow):
    """pass@k of one model."""

    left_out: Tasks
    """Problems with samples but fewer than k scored ones."""


class Rate(TypedDict):
    """A share of samples with its 95 % interval, clustered on problems."""

    count: Count
    """Samples that are so."""
    of: Count
    """Samples that could be."""
    rate: Share | None
    """The share; null of no samples."""
    low: Share | None
    """The interval's lower end."""
    high: Share | None
    """The interval's upper end."""


type Rates = Annotated[dict[RateName, Rate], Constraint(required=list(get_args(RateName)))]


class ProblemsCovered(TypedDict):
    """Which problems the samples of a model cover."""

    covered: Count
    """Problems with samples."""
    scored: Count
    """Problems with samples that have a verdict."""
    uncovered: Tasks
    """Problems without samples."""
    unscorable: Tasks
    """Problems that the machine could not judge."""


class SampleCounts(TypedDict):
    """The samples of a model in numbers."""

    total: Count
    """All of them."""
    scored: Count
    """Those with a verdict."""
    passed: Count
    """Those that pass."""
    infrastructure: Count
    """Those without a verdict, because the machinery failed."""
    unscorable: Count
    """Those of problems that the machine could not judge."""
    fewest_per_problem: Count
    """Scored samples of the problem with the fewest, among those that have any."""
    most_per_problem: Count
    """Scored samples of the problem with the most."""


class ColumnScores(TypedDict):
    """What a model scores in a column that is not at the head."""

    passed: Count
    """Samples that pass."""
    pass_at_k: Scores
    """Scores by k."""


class PolicyRejects(TypedDict):
    """Samples with policy findings; in no-policy mode, those that policy mode would reject."""

    total: Count
    """All of them."""
    by_category: Counts
    """By category; a sample counts once in each of its categories."""
    correct_but_rejected: Count | None
    """Those that pass without the policy; null where that is not known."""


class ProblemCounts(TypedDict):
    """One model's samples of one problem in numbers."""

    samples: Count
    """All of them."""
    scored: Count
    """Those with a verdict."""
    passed: Count
    """Those that pass."""
    passed_in: dict[Column, Count | None]
    """Those that pass in the columns that are not at the head; null unless that is known of every
    scored one."""
    compiled: Count
    """Those that compile."""
    rejected: Count
    """Those with policy findings."""
    infrastructure: Count
    """Those without a verdict, because the machinery failed."""
    unscorable: Count
    """Those that the machine could not judge."""
    usual_outcome: str | None
    """passed, or the error type, of most scored samples."""


class ModelMetrics(TypedDict):
    """What the results say of one model."""

    problems: ProblemsCovered
    """Which problems its samples cover."""
    samples: SampleCounts
    """Its samples in numbers."""
    pass_at_k: Scores
    """Scores by k; null where no problem has k scored samples."""
    columns: dict[Column, ColumnScores]
    """The scores in the columns that are not at the head, as far as they are known of every scored
    sample."""
    without_flagged: Scores | None
    """The scores without the flagged problems, by k; null where none is flagged."""
    rates: Rates
    """Shares of the scored samples; clippy_clean: of the compiled ones for which it was asked;
    truncated: of those with a finish reason."""
    policy_rejects: PolicyRejects
    """What the policy forbids of its samples."""
    error_types: Counts
    """Samples by the way in which they fail."""
    error_codes: Counts
    """Samples by rustc error code; a sample counts once per code."""
    infrastructure_types: Counts
    """Samples without a verdict by the way in which the machinery failed."""
    per_problem: dict[str, ProblemCounts]
    """By the problem's id."""


class PairedComparison(TypedDict):
    """The two models' pass@k, paired on the problems that both have k scored samples of."""

    base: Share
    """The base's score."""
    finetuned: Share
    """The fine-tuned model's score."""
    difference: EstimateRow
    """Fine-tuned minus base."""
    bootstrap: Interval
    """The difference's interval when problems are drawn with replacement."""
    p: Share
    """Two-sided sign-flip permutation test."""
    p_method: Literal["exact", "monte-carlo"]
    """Whether all sign patterns were tried, or random ones."""
    p_adjusted: Share
    """p, adjusted among the k that are not the primary one (Holm)."""
    p_mcnemar: float | None
    """Exact McNemar test, when each problem has one sample of each model."""
    minimum_detectable: NotNegative | None
    """The true difference found four times out of five (80 % power at the 5 % level): 2.8 standard
    errors."""
    needed_problems: AtLeastOne | None
    """Problems at which a true difference as large would be detectable."""
    needed_samples: AtLeastOne | None
    """Samples per problem at which it would be, of pass@1."""


class Migration(TypedDict):
    """How many problems went from one outcome to another: passed, the first rustc code, or an
    error type."""

    base: str
    """The outcome of the base's samples."""
    finetuned: str
    """The outcome of the fine-tuned model's samples."""
    problems: NotNegative
    """In problems: of each, every base sample is set against every fine-tuned one."""


class ComparisonVerdict(TypedDict):
    """The comparison in one plain sentence."""

    kind: VerdictKind
    """What it says of the fine-tuned model."""
    sentence: Name
    """The sentence."""
    provisional: bool
    """Whether some samples have no verdict yet."""


class Comparison(TypedDict):
    """The fine-tuned model against the base."""

    problems: Count
    """Problems that both models have scored samples of."""
    left_out: Tasks
    """Problems with samples of one of them, which they do not share."""
    primary: AtLeastOne
    """The k of the primary metric; the others are adjusted among themselves (Holm)."""
    pass_at_k: dict[str, PairedComparison | None]
    """The comparison by k."""
    wins: Tasks
    """Problems of which the fine-tuned model passes a larger share."""
    ties: Count
    """Problems of which both pass the same share."""
    losses: Tasks
    """Problems of which the base passes a larger share."""
    columns: dict[Column, dict[str, PairedComparison | None]]
    """The comparison by k in the columns that are not at the head, as far as they are known."""
    without_flagged: Differences | None
    """The paired differences without the flagged problems, by k; null where none is flagged."""
    rates: dict[RateName, EstimateRow | None]
    """The paired differences of the rates."""
    migration: list[Migration]
    """From which outcome to which; the figures add up to the number of problems."""
    verdict: ComparisonVerdict
    """What it comes to."""


class Metrics(TypedDict):
    """What the results of one policy mode say. Scores, rates and differences are shares (0 to 1);
    differences are fine-tuned minus base. Samples whose outcome is infrastructure or unscorable are
    counted and shown, and are in no denominator."""

    schema_version: Literal[4]
    """Of this document's form."""
    mode: Mode
    """Whether the policy was enforced."""
    problem_set: PinnedProblems
    """The problems that the results belong to."""
    headline: Column
    """The column that all figures are of which name no other: the tests as published, with errata,
    or with errata and the plus cases."""
    judge: Conditions | None
    """The conditions under which the verdicts were given; null where nobody said."""
    k_values: Annotated[list[AtLeastOne], Constraint(minItems=1, uniqueItems=True)]
    """The k of pass@k, ascending."""
    confidence: Share
    """Of all intervals."""
    seed: int
    """Of the permutation test and the bootstrap."""
    incomplete: bool
    """Some samples have no verdict because of infrastructure failures."""
    models: dict[str, ModelMetrics]
    """By label: base, finetuned, or another name."""
    comparison: Comparison | None
    """The two models against each other, where both are there."""
    sweep: NotRequired[Sweep]
    """The base and its checkpoints, where the models are these."""
    coverage: NotRequired[str]
    """Of how many problems the samples are, in words, where these are not all: such scores are not
    the benchmark's."""
