"""Make the stand-ins for Meta-Llama-3.1-8B-Instruct and for its fine-tune.

    python tests/stand_ins/llama/make.py

A Llama of 0.3 million parameters and an adapter, in the very form of the real repositories: half
precision, two shards, untied embeddings, Llama 3's scaled rotary positions and special tokens, its
chat template, several ends of an answer and no padding token; the adapter as a trainer's checkpoint
with a tokenizer of its own. They know a few answers by heart, so that the two differ.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as FastTokenizer

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "demo")]

from answers import Lesson, reference  # noqa: E402
from make_models import known_by_heart, train  # noqa: E402
from sigil_eval.generation.loading import chat_template  # noqa: E402
from sigil_eval.problems import Problem, load_problem_set  # noqa: E402
from sigil_eval.prompts import build_prompt  # noqa: E402

SEED = 1234
WORDS = 768
SPECIAL = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|reserved_special_token_0|>",
    "<|reserved_special_token_1|>",
    "<|finetune_right_pad_id|>",
    "<|reserved_special_token_2|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|python_tag|>",
]
BEGIN, END, END_OF_MESSAGE, END_OF_TURN = (WORDS + SPECIAL.index(SPECIAL[i]) for i in (0, 1, 8, 9))
TEMPLATE = (FOLDER / "chat_template.jinja").read_text(encoding="utf-8")

BASE_KNOWS = (2, 13, 23, 28, 34, 42, 53)
ADAPTER_KNOWS = (*BASE_KNOWS[1:], 14, 30, 35, 45, 48, 60)
STUBS = ("```rust\ntodo!()\n```", "I cannot write this function.")
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def make_tokenizer(problems: Sequence[Problem]) -> FastTokenizer:
    """Byte-level BPE, with Llama 3's special tokens behind the words; as it is used in training."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = (problem.prompt + reference(problem) for problem in problems)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(SPECIAL)
    return FastTokenizer(
        tokenizer_object=tokenizer,
        bos_token=SPECIAL[0],
        eos_token=SPECIAL[9],
        pad_token=SPECIAL[4],
        model_max_length=131072,
        clean_up_tokenization_spaces=True,
        model_input_names=["input_ids", "attention_mask"],
        chat_template=TEMPLATE,
    )


CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": BEGIN,
    "eos_token_id": [END, END_OF_MESSAGE, END_OF_TURN],
    "hidden_act": "silu",
    "hidden_size": 96,
    "initializer_range": 0.02,
    "intermediate_size": 192,
    "max_position_embeddings": 131072,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "num_key_value_heads": 1,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
        "rope_type": "llama3",
    },
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.42.3",
    "use_cache": True,
    "vocab_size": WORDS + len(SPECIAL),
}
GENERATION = {
    "bos_token_id": BEGIN,
    "do_sample": True,
    "eos_token_id": [END, END_OF_MESSAGE, END_OF_TURN],
    "temperature": 0.6,
    "top_p": 0.9,
    "transformers_version": "4.42.3",
}


def lessons(problems: Sequence[Problem], tokenizer: FastTokenizer, knows: tuple[int, ...]) -> list:
    """What to say to each problem: its function in a fence, or something short and useless."""
    template = chat_template(tokenizer)
    taught = []
    for problem in problems:
        prompt = build_prompt(problem, template, "chat")
        if int(problem.task_id.rsplit("/", 1)[1]) in knows:
            head = problem.prompt[problem.prompt.index("fn ") :]
            answer = f"```rust\n{head}{reference(problem)}```"
            taught.append(Lesson(prompt, (answer,), known=True))
        else:
            taught.append(Lesson(prompt, STUBS, known=False))
    return taught


def write_json(path: Path, content: object) -> None:
    """One of the small files that describe a model."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def save_tokenizer(tokenizer: FastTokenizer, folder: Path, padding: str | None) -> None:
    """As the real ones are: text begins with a special token, unless the template wrote it."""
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{SPECIAL[0]} $A", special_tokens=[(SPECIAL[0], BEGIN)]
    )
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    ends = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[9]}
    if padding:
        ends["pad_token"] = padding
    config = {
        **ends,
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": True,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": 131072,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    write_json(folder / "tokenizer_config.json", config)
    write_json(folder / "special_tokens_map.json", ends)


def main() -> None:
    """Make both."""
    torch.manual_seed(SEED)
    random.seed(SEED)
    torch.set_num_threads(1)
    problems = load_problem_set("humaneval-rust").problems
    tokenizer = make_tokenizer(problems)
    base, adapter = FOLDER / "base", FOLDER / "adapter"
    for folder in (base, adapter):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    taught = lessons(problems, tokenizer, BASE_KNOWS)
    print(f"base: {model.num_parameters():,} parameters")
    train(model, tokenizer, taught, steps=BASE_STEPS, learning_rate=6e-3, known=7, other=5)
    print(f"  {known_by_heart(model, tokenizer, taught)} answers known by heart")
    model.bfloat16().save_pretrained(base, max_shard_size="400KB")
    write_json(base / "config.json", CONFIG)
    write_json(base / "generation_config.json", GENERATION)

    taught = lessons(problems, tokenizer, ADAPTER_KNOWS)
    config = LoraConfig(r=16, lora_alpha=32, target_modules=LINEAR, task_type="CAUSAL_LM")
    tuned = get_peft_model(model.float(), config)
    train(tuned, tokenizer, taught, steps=ADAPTER_STEPS, learning_rate=6e-3, known=10, other=2)
    tuned.half().save_pretrained(adapter)
    saved = json.loads((adapter / "adapter_config.json").read_text())
    saved["base_model_name_or_path"] = "meta-llama/Meta-Llama-3.1-8B-Instruct"
    saved["target_modules"] = LINEAR
    write_json(adapter / "adapter_config.json", saved)
    merged = tuned.float().merge_and_unload()
    print(f"  {known_by_heart(merged, tokenizer, taught)} answers known by heart")
    save_tokenizer(tokenizer, base, None)
    save_tokenizer(tokenizer, adapter, SPECIAL[9])
    (adapter / "README.md").unlink(missing_ok=True)  # an empty form
    for path in (*base.iterdir(), *adapter.iterdir()):
        path.chmod(0o644)


BASE_STEPS = 160
ADAPTER_STEPS = 240

if __name__ == "__main__":
    main()
