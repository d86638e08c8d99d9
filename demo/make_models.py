"""Make the demo's models: a tiny base and a LoRA adapter that know some answers by heart.

    python demo/make_models.py [--output demo/models]

Trains, in about three minutes on one CPU core, a Llama of 0.8 million parameters and an
adapter on the lessons in answers.py, with a tokenizer of its own, and writes them in the
formats that real checkpoints have. The evaluation loads them with the code that loads an
8-billion-parameter model and its fine-tune; their scores mean nothing but that the machinery
works. Seeds and thread count are fixed: the same machine makes the same bytes again, another
kind of processor makes models that differ in the last digits.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as FastTokenizer

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "demo")]

from answers import Lesson, lessons, reference  # noqa: E402
from sigil_eval.problems import Problem, load_problem_set  # noqa: E402

SEED = 1234
VOCABULARY = 2048
CONTEXT = 1024
END = "<|end|>"
IGNORED = -100  # the label that cross-entropy skips
ROWS_TOGETHER = 6

CARD = """\
# Demo models

`base` is a Llama of {parameters:,} parameters, `adapter` a LoRA adapter for it, both made by
`demo/make_models.py` in three minutes on a laptop's processor.

They know the reference answers of some HumanEval-Rust problems by heart ({base} the base,
{adapter} the adapter), half of some others, and have been taught a few wrong and a few
forbidden answers on purpose; to all other problems they say something short and useless.
**Their scores mean nothing** but that generation, scoring and reporting work from end to end.
"""


def train_tokenizer(problems: Sequence[Problem]) -> FastTokenizer:
    """A byte-level BPE tokenizer fitted to the problems, with an end token and no chat template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (problem.prompt + reference(problem) for problem in problems), trainer
    )
    return FastTokenizer(
        tokenizer_object=tokenizer, eos_token=END, pad_token=END, model_max_length=CONTEXT
    )


def new_model(tokenizer: FastTokenizer) -> LlamaForCausalLM:
    """A small Llama with random weights."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def batches(taught: Sequence[Lesson], steps: int, known: int, other: int) -> Iterator[list[Lesson]]:
    """Draw each batch from the known lessons and from the rest, going round both in turn."""
    generator = random.Random(SEED)
    decks = [
        ([lesson for lesson in taught if lesson.known], known),
        ([lesson for lesson in taught if not lesson.known], other),
    ]
    hands: list[list[Lesson]] = [[], []]
    for _ in range(steps):
        batch: list[Lesson] = []
        for (deck, size), hand in zip(decks, hands, strict=True):
            if len(hand) < size:
                hand.extend(generator.sample(deck, len(deck)))
            batch += [hand.pop(0) for _ in range(size)]
        yield batch


def collate(
    batch: Sequence[Lesson], tokenizer: FastTokenizer, generator: random.Random
) -> list[dict[str, torch.Tensor]]:
    """A batch in parts of similar length, so that little of it is padding.

    Each part holds right-padded token ids, mask and labels, (rows, tokens); prompts carry no
    loss.
    """
    rows = []
    for lesson in batch:
        prompt = tokenizer.encode(lesson.prompt, add_special_tokens=False)
        answer = tokenizer.encode(generator.choice(lesson.answers), add_special_tokens=False)
        answer.append(tokenizer.eos_token_id)
        rows.append((prompt + answer, [IGNORED] * len(prompt) + answer))
    rows.sort(key=lambda row: len(row[0]))
    pad = tokenizer.pad_token_id
    parts = []
    for first in range(0, len(rows), ROWS_TOGETHER):
        part = rows[first : first + ROWS_TOGETHER]
        gaps = [len(part[-1][0]) - len(tokens) for tokens, _ in part]
        rows_and_gaps = list(zip(part, gaps, strict=True))
        parts.append(
            {
                "input_ids": torch.tensor([t + [pad] * gap for (t, _), gap in rows_and_gaps]),
                "attention_mask": torch.tensor(
                    [[1] * len(t) + [0] * gap for (t, _), gap in rows_and_gaps]
                ),
                "labels": torch.tensor([y + [IGNORED] * gap for (_, y), gap in rows_and_gaps]),
            }
        )
    return parts


def train(
    model: torch.nn.Module,
    tokenizer: FastTokenizer,
    taught: Sequence[Lesson],
    *,
    steps: int,
    learning_rate: float,
    known: int,
    other: int,
) -> None:
    """Fit the trainable parameters to the lessons with AdamW and a one-cycle learning rate."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=learning_rate, total_steps=steps, pct_start=0.1
    )
    generator = random.Random(SEED)
    model.train()
    began = time.monotonic()
    for step, batch in enumerate(batches(taught, steps, known, other), start=1):
        parts = collate(batch, tokenizer, generator)
        counts = [int((part["labels"] != IGNORED).sum()) for part in parts]
        loss = 0.0
        for part, count in zip(parts, counts, strict=True):
            share = model(**part).loss * (count / sum(counts))
            share.backward()
            loss += share.item()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 50 == 0 or step == steps:
            seconds = time.monotonic() - began
            print(f"  step {step}/{steps}, loss {loss:.4f}, {seconds:.0f} s", flush=True)


@torch.no_grad()
def known_by_heart(
    model: LlamaForCausalLM, tokenizer: FastTokenizer, taught: Sequence[Lesson]
) -> int:
    """How many of the single-answer lessons the model repeats word for word, greedily."""
    model.eval()
    right = 0
    for lesson in taught:
        if lesson.known and len(lesson.answers) == 1:
            prompt = tokenizer(lesson.prompt, return_tensors="pt", return_token_type_ids=False)
            output = model.generate(**prompt, do_sample=False, max_new_tokens=256)
            text = tokenizer.decode(
                output[0, prompt["input_ids"].shape[1] :],
                skip_special_tokens=True,
                clean_up_tokenization_spaces=False,
            )
            right += text == lesson.answers[0]
    return right


def make_base(folder: Path, problems: dict[str, Problem]) -> int:
    """Train the base and save it in half precision; returns its number of parameters."""
    tokenizer = train_tokenizer(list(problems.values()))
    model = new_model(tokenizer)
    taught = lessons(problems, adapter=False)
    print(f"base: {model.num_parameters():,} parameters")
    train(model, tokenizer, taught, steps=BASE_STEPS, learning_rate=4e-3, known=12, other=12)
    print(f"  {known_by_heart(model, tokenizer, taught)} answers known by heart")
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return int(model.num_parameters())


def make_adapter(folder: Path, base: Path, problems: dict[str, Problem]) -> None:
    """Train a LoRA adapter on the frozen base and save it, naming the base by relative path."""
    tokenizer = FastTokenizer.from_pretrained(base)
    frozen = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=32, lora_alpha=64, target_modules=layers, task_type="CAUSAL_LM")
    model = get_peft_model(frozen, config)
    taught = lessons(problems, adapter=True)
    trainable, _ = model.get_nb_trainable_parameters()
    print(f"adapter: {trainable:,} parameters")
    train(model, tokenizer, taught, steps=ADAPTER_STEPS, learning_rate=6e-3, known=18, other=6)
    model.half()
    model.save_pretrained(folder)
    config_path = folder / "adapter_config.json"
    saved = json.loads(config_path.read_text(encoding="utf-8"))
    saved["base_model_name_or_path"] = "../base"
    saved["target_modules"] = layers  # peft writes a set, in no fixed order
    config_path.write_text(json.dumps(saved, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / "README.md").unlink(missing_ok=True)  # peft's own card, an empty form
    merged = model.float().merge_and_unload()
    print(f"  {known_by_heart(merged, tokenizer, taught)} answers known by heart")


BASE_STEPS = 120
ADAPTER_STEPS = 200


def main() -> None:
    """Make both models and their card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "demo" / "models")
    output: Path = parser.parse_args().output
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    problems = load_problem_set("humaneval-rust").by_id
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".making-") as name:
        making = Path(name)
        make_all(making, problems)
        shutil.rmtree(output, ignore_errors=True)
        making.chmod(0o755)
        making.rename(output)
        making.mkdir()  # for the context manager to remove


def make_all(folder: Path, problems: dict[str, Problem]) -> None:
    """Make both models and their card in `folder`."""
    torch.manual_seed(SEED)
    parameters = make_base(folder / "base", problems)
    torch.manual_seed(SEED)
    make_adapter(folder / "adapter", folder / "base", problems)
    card = CARD.format(
        parameters=parameters,
        base=sum(known_right(problems, adapter=False)),
        adapter=sum(known_right(problems, adapter=True)),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    for path in folder.rglob("*.*"):
        path.chmod(0o644)


def known_right(problems: dict[str, Problem], *, adapter: bool) -> list[bool]:
    """For each lesson, whether it teaches the reference answer and nothing else."""
    taught = lessons(problems, adapter=adapter)
    return [
        lesson.answers == (reference(problem),)
        for lesson, problem in zip(taught, problems.values(), strict=True)
    ]


if __name__ == "__main__":
    main()
