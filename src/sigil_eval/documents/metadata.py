"""eval_metadata.json: what a run was made of. Holds no credentials and no host name."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from sigil_eval.documents.constraints import (
    AtLeastOne,
    Constraint,
    Count,
    Name,
    NotNegative,
    Sha256,
    Share,
    Tasks,
    Timestamp,
    also,
)
from sigil_eval.settings import SandboxMode

METADATA_VERSION: Literal[3] = 3

type Variables = Annotated[
    dict[str, str], Constraint(propertyNames={"pattern": "^[A-Z][A-Z0-9_]*$"})
]


class GitState(TypedDict):
    """The checkout that the run was started from."""

    commit: Annotated[str, Constraint(pattern="^[0-9a-f]{40,64}$")]
    """Its commit."""
    dirty: bool
    """Whether files were not as they are in the commit."""


class Machine(TypedDict):
    """Processor, memory and system; no host name."""

    cpu: str | None
    """The processor's name."""
    architecture: str
    """As in `uname -m`."""
    cores: int | None
    """Processors that the machine has."""
    usable_cores: int
    """Processors that the run could use."""
    memory_gib: float | None
    """Memory in GiB."""
    os: str | None
    """The operating system's name."""
    kernel: str
    """The kernel's release."""


@also(additionalProperties={"type": "string"})
class Gpu(TypedDict):
    """One GPU, as its driver reports it."""

    name: str
    """Its name."""
    memory: str
    """Its memory, with the unit."""
    driver: str
    """The driver's version."""
    capability: str
    """Its compute capability."""


@also(additionalProperties={"type": "string"})
class Python(TypedDict):
    """The interpreter."""

    version: str
    """Its version."""
    build: str
    """What it says of its build."""


class Lock(TypedDict):
    """The lock that the environment was made from."""

    path: str
    """The file's name."""
    sha256: Sha256
    """Of the file."""


class SandboxState(TypedDict):
    """What the programs ran in."""

    mode: SandboxMode
    """firejail, or none."""
    firejail: str | None
    """Firejail's version, where it is installed."""


class ProblemSource(TypedDict):
    """The problem set of the run."""

    name: str
    """Its name, or the file's for a set of somebody's own."""
    source: str
    """Where it comes from."""
    sha256: Sha256
    """Of its file."""
    errata_sha256: Sha256 | None
    """Of the file of its errata."""
    plus_sha256: NotRequired[Sha256 | None]
    """Of the file of its plus cases."""
    problems: AtLeastOne
    """How many problems it has."""


@also(additionalProperties=True)
class ModelRecord(TypedDict):
    """What is known of one model and of the way its samples were drawn."""

    name: str
    """The base model."""
    revision: NotRequired[str | None]
    """The base's commit, or the hash of its files."""
    adapter: NotRequired[str | None]
    """The fine-tune."""
    adapter_revision: NotRequired[str | None]
    """The fine-tune's commit, or the hash of its files."""
    dtype: NotRequired[str | None]
    """The precision of the computation."""
    attention: NotRequired[str | None]
    """How attention was computed."""
    device: NotRequired[str | None]
    """The devices that drew its samples."""
    engine: NotRequired[str]
    """The engine that drew them."""
    sampler: NotRequired[AtLeastOne | None]
    """The version of the sampler that turned logits into tokens; null where it was a server's."""
    quantization: NotRequired[str]
    """Of the base's weights."""
    batch_invariant: NotRequired[bool]
    """Whether the same request gives the same bits, whatever it is computed along with, so that the
    same machine draws the same samples again."""
    read_from: NotRequired[str]
    """The file that its samples were read from, and the format of that, where they were not drawn
    here."""
    samples: NotRequired[int]
    """How many samples there are."""
    truncated: NotRequired[int]
    """How many of them were cut off at the limit of tokens."""
    prompt_mode: NotRequired[str]
    """chat or completion."""
    prompt_template_sha256: NotRequired[Sha256 | None]
    """Of the template that it was prompted with."""
    tokenizer_sha256: NotRequired[Sha256 | None]
    """Of the tokenizer that it was prompted with: where two models are compared, the base's."""
    own_prompt_template_sha256: NotRequired[Sha256 | None]
    """Of the template that a fine-tune brings itself."""
    own_tokenizer_sha256: NotRequired[Sha256 | None]
    """Of the tokenizer that a fine-tune brings itself."""
    prompting: NotRequired[str | None]
    """What a fine-tune brings and was not prompted with."""


class ProvisioningStep(TypedDict):
    """One step of the set-up."""

    step: str
    """Its name."""
    state: str
    """What came of it: applied, skipped or failed."""
    seconds: NotNegative
    """How long it took."""
    finished_at: str
    """When it was done."""


class Durations(TypedDict):
    """Where the time went."""

    phases: dict[str, NotNegative]
    """Seconds by phase, over all invocations."""
    invocations: AtLeastOne
    """How often the command was given until the run was done."""
    provisioning: list[ProvisioningStep]
    """The set-up, step by step."""
    total_seconds: NotNegative
    """What the machine was rented for: the set-up and all phases."""


class Cost(TypedDict):
    """What the machines cost, estimated."""

    currency: Literal["USD"]
    """Always US dollars."""
    price_per_hour: NotNegative
    """Of a GPU, or of a machine without one, as it was given."""
    hours: NotNegative
    """The run's and the set-up's."""
    gpus: NotRequired[Count]
    """How many GPUs were paid for; absent where they were not counted."""
    machines: NotRequired[Count]
    """How many machines without a GPU were paid for."""
    estimate: NotNegative
    """Price times hours times GPUs and machines."""


class DeviationRow(TypedDict):
    """One departure from the pinned environment, and what it means for the result."""

    id: Name
    """By which it is accepted."""
    expected: str
    """What is pinned."""
    actual: str
    """What was found."""
    consequence: str
    """What follows for the result."""
    accepted: bool
    """Whether its id is among accepted_deviations."""


@also(additionalProperties=True)
class ProofRow(TypedDict):
    """The judge's proof: what went through it before the models did, and what came of it."""

    ok: bool
    """Whether every verdict was right."""
    problems: Count
    """Problems of the set."""
    scorable: Count
    """Those that can be judged here."""
    reference_answers: Count
    """Reference answers that passed, in every form in which models answer."""
    controls: Count
    """Wrong answers that failed, as they must."""
    controls_by_kind: NotRequired[dict[str, Count]]
    """todo!(), empty bodies, constants, and reference answers whose result is changed on every
    input."""
    programs: Count
    """Distinct programs that were judged for it."""
    unscorable: list[str]
    """Problems that cannot be judged here."""
    without_reference: NotRequired[list[str]]
    """Problems without a reference answer, on which only wrong answers were tried."""
    sandbox: list[str]
    """What the sandbox's self-test proved."""
    seconds_ago: NotRequired[Count]
    """How long before this run the rest was proved, where that was kept from an earlier one."""


@also(additionalProperties={"type": "integer", "minimum": 0})
class ScoringCounts(TypedDict):
    """What scoring did."""

    samples: Count
    """Samples of all models."""
    programs: Count
    """Distinct programs among them."""
    judged: Count
    """Programs that this invocation judged."""
    infrastructure: Count
    """Rows without a verdict."""
    retries: NotRequired[Count]
    """Programs that were tried again before their verdict counted."""


class Rescored(TypedDict):
    """A random part of the results, judged again from the samples."""

    seed: int
    """Of the draw."""
    samples: Count
    """Samples that were compared; one agrees when its rows agree in every mode."""
    programs: Count
    """Distinct programs among them."""
    agree: Count
    """Samples that agree."""
    undecided: Count
    """Left without a verdict by the infrastructure; not among the samples."""
    low: Share | None
    """Lower end of the 95 % interval (Clopper and Pearson) of the share of all results that would
    agree: alone, a bound at 97.5 %."""
    high: Share | None
    """Its upper end."""
    disagreements: list[str]
    """What disagrees, and how."""
    seconds_ago: NotRequired[Count]
    """Where an earlier run of the same judge on the same files had them judged: how long ago."""


type NodeState = Literal["working", "left out", "lost"]


class NodeRow(TypedDict):
    """A node of a cluster, and what became of it. No host name."""

    name: Name
    """The beginning of the id that Ray gave it."""
    state: NodeState
    """Whether it worked to the end, did not prove itself, or was lost while it worked."""
    reason: str | None
    """Why it was left out or lost."""
    workers: Count
    """How many worked on it at a time."""
    gpus: Count
    """How many it has."""


class ClusterRecord(TypedDict):
    """The cluster that a run was done on."""

    ray: Name
    """Ray's version."""
    nodes: list[NodeRow]
    """Its nodes, those that were lost and those that did not prove themselves among them."""


class TrainingDataRecord(TypedDict):
    """What was found of this run's problems in the data that a fine-tune was trained on."""

    check: Name
    """The file that `sigil-eval dataset check` has written."""
    check_sha256: Sha256
    """Of it."""
    files: list[Name]
    """The data."""
    rows: Count
    """How many rows they have."""
    tasks: Tasks
    """The problems that stand there, in full or in part."""


class Metadata(TypedDict):
    """What a run was made of. Holds no credentials and no host name."""

    schema_version: Literal[3]
    """Of this document's form."""
    created_at: Timestamp
    """When the run was done, in UTC."""
    demo: bool
    """Whether the models are the demonstration's, which know the answers by heart."""
    command: list[str]
    """As somebody in a checkout would type it."""
    arguments: dict[str, Any]
    """Every option of the command by name."""
    environment: Variables
    """The variables that change a result or help to repeat it."""
    git: GitState | None
    """The checkout; null outside one."""
    machine: Machine
    """Processor, memory and system."""
    gpus: list[Gpu]
    """The GPUs that the driver reports."""
    cuda: str | None
    """The CUDA version that torch was built for."""
    python: Python
    """The interpreter."""
    packages: dict[str, str]
    """Version by name of every distribution that could be imported."""
    vllm_packages: NotRequired[dict[str, str] | None]
    """The same of the environment of vLLM's own; null where it drew nothing."""
    lock: Lock | None
    """The lock that the environment was made from."""
    rustc: Annotated[dict[str, str], Constraint(required=["version"])] | None
    """What rustc says of its version; null where there is none."""
    sandbox: SandboxState
    """What the programs ran in."""
    problem_set: ProblemSource
    """The problems."""
    models: dict[str, ModelRecord]
    """The models by label: base and finetuned."""
    prompt_template_sha256: Sha256 | None
    """Of the first model's template."""
    seeds: dict[str, int]
    """By what they decide."""
    durations: Durations
    """Where the time went."""
    cost: Cost | None
    """What it cost; null without a price."""
    deviations: list[DeviationRow]
    """What departs from the pinned environment."""
    accepted_deviations: list[Name]
    """Ids of the deviations that a strict run lets pass, whether or not they came up."""
    proof: ProofRow | None
    """The judge's proof."""
    scoring: ScoringCounts | None
    """What scoring did."""
    rescored: Rescored | None
    """What came of judging a random part of the results again."""
    cluster: NotRequired[ClusterRecord | None]
    """The nodes that judged; null where this machine did."""
    training_data: NotRequired[TrainingDataRecord | None]
    """What a check of it has found; null where none was named."""
    files: dict[str, Sha256] | None
    """Of the samples and the results, by name."""
