"""How the samples were drawn, in a line, to stand under the title."""

from __future__ import annotations

from sigil_eval.reporting.run import Run

# What was asked for, and how it is said; the others are given as they are.
_SAID = {
    "temperature": "temperature {}",
    "top_p": "top-p {}",
    "top_k": "top-k {}",
    "max_new_tokens": "up to {} new tokens",
    "prompt_mode": "prompt form {}",
}


# What drew them, of each model.
_DRAWN = {"engine": "engine {}", "dtype": "{}", "attention": "attention {}"}


def sampling_line(run: Run) -> str:
    """Samples per problem, temperature, top-p, top-k, tokens, prompt form, engine, precision,
    attention and batch invariance, as recorded."""
    models = run.first_metrics["models"].values()
    fewest = min(model["samples"]["fewest_per_problem"] for model in models)
    most = max(model["samples"]["most_per_problem"] for model in models)
    number = str(most) if fewest == most else f"{fewest} to {most}"
    said = [f"{number} sample{'s' if number != '1' else ''} per problem"]
    for name, words in _SAID.items():
        if run.arguments.get(name) is not None:
            said.append(words.format(run.arguments[name]))
    drawn = (run.metadata.get("models") if run.metadata else None) or {}
    for name, words in _DRAWN.items():
        found = dict.fromkeys(str(value) for m in drawn.values() if (value := m.get(name)))
        if found:
            said.append(words.format(" and ".join(found)))
    if drawn and all(model.get("batch_invariant") for model in drawn.values()):
        said.append("batch-invariant")
    if len(said) == 1:
        said.append("how they were drawn is not recorded")
    return ", ".join(said)
