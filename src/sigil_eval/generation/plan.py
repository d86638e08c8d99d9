"""What is to be drawn: a request in full, and the prompts once its model is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sigil_eval.answers.needs import called_by
from sigil_eval.generation.engines import EngineOptions
from sigil_eval.generation.keys import SAMPLER_VERSION, sample_key
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.protocol import (
    Asked,
    ModelSpec,
    Prompting,
    Request,
    Revisions,
    SamplingParams,
)
from sigil_eval.problems import Problem
from sigil_eval.prompts import build_prompt, prompt_sha256, prompt_template_sha256

SampleId = tuple[str, int]
"""A problem's task id, and which of its samples."""


@dataclass(frozen=True)
class Job:
    """A request in full: what is to be drawn, from what, and how."""

    model: ModelSpec
    problems: tuple[Problem, ...]
    params: SamplingParams
    prompt_mode: str
    options: EngineOptions


@dataclass(frozen=True)
class Settled:
    """What is known of a job before weights are loaded: the model by name and content, and how it
    is prompted. `prompt_hashes` are the sha256 of each prompt by task id."""

    job: Job
    name: str
    revisions: Revisions
    prompt_mode: str
    template_sha256: str
    prompting: Prompting
    prompt_hashes: dict[str, str]

    @property
    def sampler(self) -> int | None:
        """The version of our sampler; None where a server draws, or a file has the samples."""
        return SAMPLER_VERSION if self.job.options.kind.keyed else None

    def settings(self) -> dict[str, object]:
        """What decides a sample's text and is known before anything is loaded."""
        params = asdict(self.job.params)
        del params["num_samples"]
        return {
            "engine": self.job.options.engine,
            "model revision": self.revisions.base,
            "adapter revision": self.revisions.adapter,
            "prompt mode": self.prompt_mode,
            "prompt template": self.template_sha256,
            "tokenizer": self.prompting.tokenizer_sha256,
            "sampler version": self.sampler,
            **params,
            "early_stop": self.job.options.early_stop,
            "quantization": self.job.options.quantization,
            "batch_invariant": self.job.options.batch_invariant,
        }


@dataclass(frozen=True)
class Plan(Settled):
    """A job whose model is found and can be asked, with the prompt of each problem by task id."""

    prepared: Prepared
    prompts: dict[str, str]

    def requests(self, wanted: Sequence[SampleId]) -> list[Request]:
        """What an engine is asked."""
        seed, identity = self.job.params.seed, self.revisions.identity
        chat = self.prompt_mode == "chat"
        continued = {p.task_id: "" if chat else p.prompt for p in self.job.problems}
        asked = {
            p.task_id: Asked(p.prompt, p.entry_point, called_by(p.test)) for p in self.job.problems
        }
        return [
            Request(
                task_id=task_id,
                sample_index=index,
                prompt=self.prompts[task_id],
                code_before=continued[task_id],
                key=sample_key(seed, identity, task_id, index),
                asked=asked[task_id],
            )
            for task_id, index in wanted
        ]


def plan_for(job: Job) -> Plan:
    """Find the model and make the prompts; no weights are loaded.

    Raises UsageError for a request that cannot be met, PreflightError for a model that cannot be
    had.
    """
    prepared = job.options.kind.prepare(job.model, job.prompt_mode)
    prompts = {
        problem.task_id: build_prompt(problem, prepared.template, prepared.prompt_mode)
        for problem in job.problems
    }
    return Plan(
        job=job,
        name=prepared.name,
        revisions=prepared.revisions,
        prompt_mode=prepared.prompt_mode,
        template_sha256=prompt_template_sha256(prepared.prompt_mode, prepared.template),
        prompting=prepared.prompting,
        prompt_hashes={task_id: prompt_sha256(prompt) for task_id, prompt in prompts.items()},
        prepared=prepared,
        prompts=prompts,
    )
