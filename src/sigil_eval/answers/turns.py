"""A chat's turns, and the tokens that models put around them and into their text.

A text may hold its prompt, or go on with the next question: the model's first turn is the answer.
Tokens of all model families are known by their shape where that is no Rust, else by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sigil_eval.answers.quoting import unquoted

# <|im_start|>assistant of ChatML, <|start_header_id|>assistant<|end_header_id|> of Llama 3,
# <start_of_turn>model of Gemma, <|assistant|> of Phi and GLM, <|Assistant|> of DeepSeek,
# [/INST] of Mistral and Llama 2, <|CHATBOT_TOKEN|> of Command, [|assistant|] of EXAONE …
_BAR = "\uff5c"
_ROLES = "(?i:user|assistant|system|model|human|bot|chatbot|gpt|tool|ipython|observation|developer)"
_HEADER = (
    rf"(?:<\|(?:im_start|start)\|>|<start_of_turn>)\s*(?P<a>{_ROLES})?(?:<\|im_sep\|>)?"
    rf"|<\|(?:start_header_id|header_start|start_of_role)\|>\s*(?P<b>{_ROLES})?\s*"
    r"(?:<\|(?:end_header_id|header_end|end_of_role)\|>)?"
    rf"|(?:<\|START_OF_TURN_TOKEN\|>)?<\|(?P<c>{_ROLES})(?:_TOKEN)?\|>|<{_BAR}(?P<d>User|Assistant){_BAR}>"
    rf"|\[\|(?P<e>{_ROLES})\|\]|(?P<inst>\[/?INST\])"
    # Turns in plain words, as in Alpaca's and Vicuna's prompts.
    r"|^(?P<plain>(?:#{2,4} ?(?i:Instruction|Input|User|Human|Response|Assistant|Answer)"
    r"|User|Human|USER|ASSISTANT|Assistant):(?: (?=\S| {4}))?)"
)
_END = (
    r"</s>|<EOT>|<eos>|<eot>|<eo[ahpm]>|<end_of_turn>|<file_sep>|\[EOS\]|\[\|endofturn\|\]"
    rf"|<{_BAR}end▁of▁sentence{_BAR}>"
    r"|<\|(?:eot_id|eom_id|eot|im_end|endoftext|end_of_text|end|EOT|return|END_OF_TURN_TOKEN"
    r"|END_RESPONSE|endofturn|file_sep|end_of_solution|end_of_sentence)\|>"
)
_OTHER = (
    r"<\|(?!\s)[^|<>\n]{1,60}\|>|<</?SYS>>|<0x0[AD]>"
    rf"|<{_BAR}[^{_BAR}<>\n]{{1,60}}{_BAR}>"
    r"|<(?:fim_(?:prefix|suffix|middle|pad)|start_of_(?:image|audio)|unused\d+|extra_id_\d+"
    r"|reserved_\d+|repo_name|gh_stars|jupyter_(?:code|text|start)|empty_output"
    r"|commit_(?:before|msg|after))>"
    r"|(?<![\w:])<(?:s|bos|pad|unk|sop|mask|PRE|SUF|MID)>(?: (?=\S| {4}))?"
    r"|^\[(?:gMASK|CLS|SEP|PAD|BOS|PREFIX|SUFFIX|MIDDLE|UNUSED_TOKEN_\d+)\]"
)
_TOKEN = re.compile(f"(?P<header>{_HEADER})|(?P<end>{_END})|(?P<other>{_OTHER})", re.MULTILINE)
# One of these is in every token; it takes no time to look for them.
_HINTS = ("<|", f"<{_BAR}", "</s>", "<s>", "<eo", "_of_turn>", "[inst]", "[/inst]", "[|", "sys>>",
          "<0x0", "<pre>", "<suf>", "<mid>", "<bos>", "<pad>", "<unk>", "<sop>", "<mask>", "fim_",
          "unused", "extra_id", "reserved_", "repo_name", "gh_stars", "file_sep", "jupyter_",
          "commit_", "empty_output", "start_of_", "[gmask]", "[cls]", "[sep]", "[pad]", "[bos]",
          "[eos]", "[prefix]", "[suffix]", "[middle]", "##", "user:", "human:",
          "assistant:")  # fmt: skip
_ANSWERING = {"assistant", "model", "bot", "chatbot", "gpt"}
_CODE = re.compile(r"[{};=+*/<>()\[\]&|-]")


@dataclass
class _Turn:
    """What somebody says: by whom (None where nothing tells), whether an end token ends it, and
    whether it begins with words instead of a token."""

    role: str | None
    text: str = ""
    ended: bool = False
    in_words: bool = False


def answer_turn(text: str) -> str:
    """The first turn of the model that has code in it, without tokens."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    turns, position = [_Turn(None)], 0
    for token in unquoted(_TOKEN, text):
        turns[-1].text += text[position : token.start()]
        position = token.end()
        if token["header"]:
            turns.append(_Turn(_role(token), in_words=bool(token["plain"])))
        elif token["end"]:
            turns[-1].ended = True
            turns.append(_Turn(None))
        else:
            turns[-1].text += "\n"
    if position == 0:
        return text
    turns[-1].text += text[position:]
    answering = [turn.text for turn in turns if _answers(turn)]
    with_code = [one for one in _without_prompt(turns, answering) if _CODE.search(one)]
    return next(iter([*with_code, *filter(str.strip, answering)]), "")


def _role(token: re.Match[str]) -> str | None:
    if token["plain"]:
        asks = re.search("instruction|input|user|human", token["plain"], re.IGNORECASE)
        return "user" if asks else "assistant"
    if token["inst"]:
        return "user" if token["inst"].upper() == "[INST]" else "assistant"
    role = next((token[name] for name in "abcde" if token[name]), None)
    return role.lower() if role else None


def _answers(turn: _Turn) -> bool:
    return turn.role is None or turn.role in _ANSWERING


def _without_prompt(turns: list[_Turn], answering: list[str]) -> list[str]:
    """Leave out what stands before the mark at which the model is asked, where that is a prompt."""
    if len(turns) > 1 and turns[0].role is None and not turns[0].ended:
        asked = turns[1].role in _ANSWERING and turns[1].text.strip() and not turns[1].in_words
        return answering[1:] if asked else answering
    return answering
