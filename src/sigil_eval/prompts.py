"""Prompts: from a problem to the exact text a model continues.

Two modes. `completion` is the problem's prompt as it is: comments and a signature up to `{`,
which a model goes on writing. `chat` asks, through the tokenizer's own chat template, for the
complete function in one fence. `auto` is `chat` where there is such a template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_text
from sigil_eval.problems import Problem
from sigil_eval.settings import PROMPT_MODE

INSTRUCTION = """\
Complete the following Rust function. Reply with the complete function, its signature and any \
imports and helpers included, in one ```rust code block. Write no main function, no tests and \
no explanation.

```rust
{prompt}
}}
```
"""

Message = dict[str, str]


class ChatTemplate(Protocol):
    """A tokenizer's chat template: its source, and the text it makes of a conversation."""

    @property
    def source(self) -> str:
        """The template itself, by which it is recorded."""
        ...

    def render(self, messages: list[Message]) -> str:
        """The conversation as the model reads it, up to where its answer begins."""
        ...


@dataclass(frozen=True)
class ServerTemplate:
    """The template of a server that applies its own: it is sent the question as it is."""

    source: str = "the server's own"

    def render(self, messages: list[Message]) -> str:
        """The one message's text."""
        (message,) = messages
        return message["content"]


SERVER_TEMPLATE = ServerTemplate()


def resolve_prompt_mode(mode: str, chat_template: ChatTemplate | None) -> str:
    """`chat` or `completion` for a tokenizer with or without a chat template.

    Raises UsageError for an unknown mode, and for `chat` where there is no template.
    """
    if mode not in PROMPT_MODE.choices:
        choices = ", ".join(PROMPT_MODE.choices)
        raise UsageError(f"unknown prompt mode '{mode}'; choose one of {choices}")
    if mode == "auto":
        return "completion" if chat_template is None else "chat"
    if mode == "chat" and chat_template is None:
        raise UsageError(
            "prompt mode 'chat' needs a tokenizer with a chat template, and this model's has "
            "none; use --prompt-mode completion or auto"
        )
    return mode


def build_prompt(problem: Problem, chat_template: ChatTemplate | None, mode: str) -> str:
    """The exact text given to the model for a problem."""
    if not problem.prompt.strip():
        raise UsageError(f"{problem.task_id}: its prompt is empty")
    if resolve_prompt_mode(mode, chat_template) == "completion" or chat_template is None:
        return problem.prompt
    question = INSTRUCTION.format(prompt=problem.prompt.rstrip())
    return chat_template.render([{"role": "user", "content": question}])


def prompt_template_sha256(mode: str, chat_template: ChatTemplate | None = None) -> str:
    """What identifies the way prompts are made: our wording and the tokenizer's template."""
    if resolve_prompt_mode(mode, chat_template) == "completion" or chat_template is None:
        return sha256_text("completion\n{prompt}")
    return sha256_text(f"chat\n{INSTRUCTION}\n{chat_template.source}")


def prompt_sha256(prompt: str) -> str:
    """What identifies one problem's prompt as the model read it."""
    return sha256_text(prompt)
