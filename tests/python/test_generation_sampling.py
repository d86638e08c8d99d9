"""The sampler: the right distribution, and noise that depends on nothing but its key."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from scipy.stats import chisquare, kstest  # noqa: E402
from transformers.generation.logits_process import (  # noqa: E402
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from sigil_eval.generation import sampling  # noqa: E402
from sigil_eval.generation.keys import sample_key  # noqa: E402
from sigil_eval.generation.protocol import SamplingParams  # noqa: E402
from sigil_eval.generation.sampling import gumbel_noise, next_tokens  # noqa: E402

KNOWN_KEY = -6706972615230067804
KNOWN_NOISE = [0.44811353262010667, -0.6421329845817084, -0.19248510210435357]
DRAWS = 200_000
LOGITS = torch.tensor([2.0, 1.5, 1.4, 0.3, 0.0, -0.5, -1.0, -4.0])


def counts(params: SamplingParams) -> list[int]:
    """How often each token is drawn in DRAWS samples, each at another key and position."""
    keys = torch.tensor([sample_key(7, "model", "task", i) for i in range(1000)]).repeat(200)
    positions = torch.arange(200).repeat_interleave(1000)
    drawn = next_tokens(LOGITS.expand(DRAWS, -1), keys, positions, params)
    return [int(count) for count in torch.bincount(drawn, minlength=len(LOGITS))]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [(1.0, 0, 1.0), (0.7, 0, 1.0), (1.0, 4, 1.0), (1.0, 0, 0.8), (1.5, 6, 0.9), (0.2, 50, 0.95)],
)
def test_tokens_are_drawn_as_often_as_the_softmax_says(
    temperature: float, top_k: int, top_p: float
) -> None:
    scores = TemperatureLogitsWarper(temperature)(None, LOGITS[None])
    if top_k:
        scores = TopKLogitsWarper(min(top_k, len(LOGITS)))(None, scores)
    if top_p < 1:
        scores = TopPLogitsWarper(top_p)(None, scores)
    expected = scores[0].double().softmax(-1) * DRAWS
    params = SamplingParams(temperature=temperature, top_k=top_k, top_p=top_p)
    observed = torch.tensor(counts(params))
    allowed = expected > 0
    assert observed[~allowed].sum() == 0
    # The keys are fixed, so this is no coin toss: it holds or it doesn't.
    assert chisquare(observed[allowed], expected[allowed]).pvalue > 0.001


def test_top_p_keeps_the_fewest_tokens_that_reach_it() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(2000, -1)
    keys, positions = torch.arange(2000), torch.zeros(2000, dtype=torch.long)
    for top_p, kept in ((0.49, 1), (0.51, 2), (0.79, 2), (0.81, 3), (0.96, 4)):
        params = SamplingParams(temperature=1.0, top_k=0, top_p=top_p)
        drawn = next_tokens(logits, keys, positions, params).tolist()
        assert set(drawn) == set(range(kept))


@pytest.mark.parametrize(
    ("logits", "top_k", "top_p", "kept"),
    [
        ([2.0, 1.0, 1.0, 1.0, 0.0], 0, 0.6, {0, 1, 2, 3}),  # 0.45, and 0.16 three times
        ([2.0, 1.0, 1.0, 1.0, 0.0], 0, 0.4, {0}),
        ([2.0, 1.0, 1.0, 0.0, 0.0, 0.0], 2, 1.0, {0, 1, 2}),
        ([2.0, 1.0, 0.5, 0.5, 0.5, 0.5], 3, 1.0, {0, 1, 2, 3, 4, 5}),
        ([2.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5], 3, 1.0, {0, 1}),  # up to the last candidate
        ([2.0, 1.0, 0.0, 0.0], 2, 0.75, {0, 1}),  # 0.73 and 0.27
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_equal_logits_stay_or_go_together(
    logits: list[float], top_k: int, top_p: float, kept: set[int], seed: int
) -> None:
    """Whatever their order in memory, and however a device sorts them."""
    order = torch.randperm(len(logits), generator=torch.Generator().manual_seed(seed))
    rows = torch.tensor(logits, dtype=torch.bfloat16)[order].expand(3000, -1)
    keys, positions = torch.arange(3000), torch.zeros(3000, dtype=torch.long)
    params = SamplingParams(temperature=1.0, top_k=top_k, top_p=top_p)
    drawn = next_tokens(rows, keys, positions, params)
    assert set(order[drawn].tolist()) == kept


def test_the_nucleus_of_half_precision_does_not_depend_on_memory_order() -> None:
    """Logits near 20 are 0.125 apart in bfloat16: most rows have a tie at the edge."""
    draw = torch.Generator().manual_seed(4)
    logits = (torch.randn(64, 4000, generator=draw) * 2 + 13).bfloat16()
    tokens = torch.arange(4000)
    flipped = logits.flip(1)
    params = SamplingParams(temperature=1.0, top_k=50, top_p=0.95)
    for position in range(8):
        keys, positions = torch.arange(64), torch.full((64,), position)
        drawn = next_tokens(logits, keys, positions, params)
        # Noise goes by the token's id, so the flipped row's is made for the ids that it has there.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                sampling, "gumbel_noise", lambda k, p, t: gumbel_noise(k, p, tokens.flip(0)[t])
            )
            again = next_tokens(flipped, keys, positions, params)
        assert torch.equal(tokens.flip(0)[again], drawn)


def test_no_noise_is_infinite() -> None:
    """The least and the largest 64 bits, and those that round to 1 with one bit more."""
    bits = torch.tensor([0, 1 << 11, -1, -(1 << 11), -(1 << 12)])
    uniform = sampling._uniform(bits)
    assert uniform[0] == 2.0**-53 and uniform[2] == 1 - 2.0**-53
    assert (-torch.log(-torch.log(uniform))).isfinite().all()


def test_temperature_zero_takes_the_likeliest() -> None:
    params = SamplingParams(temperature=0.0)
    logits = torch.randn(50, 300, generator=torch.Generator().manual_seed(1))
    zeros = torch.zeros(50, dtype=torch.long)
    assert torch.equal(next_tokens(logits, zeros, zeros, params), logits.argmax(-1))


def test_noise_is_gumbel_and_independent_along_every_axis() -> None:
    keys = torch.tensor([sample_key(1, "m", "t", i) for i in range(200)])
    tokens = torch.arange(100).expand(200, -1)
    noise = gumbel_noise(keys, torch.zeros(200, dtype=torch.long), tokens)
    assert kstest(noise.flatten().numpy(), "gumbel_r").pvalue > 0.001
    later = gumbel_noise(keys, torch.ones(200, dtype=torch.long), tokens)
    pairs = [
        (noise[:, 1:], noise[:, :-1]),  # neighbouring tokens
        (noise[1:], noise[:-1]),  # neighbouring samples
        (noise, later),  # neighbouring positions
        (noise[:, 1:], later[:, :-1]),
    ]
    for first, second in pairs:
        both = torch.stack([first.flatten(), second.flatten()])
        assert abs(torch.corrcoef(both)[0, 1]) < 4 / first.numel() ** 0.5


def test_noise_does_not_depend_on_the_company() -> None:
    keys = torch.tensor([sample_key(1, "m", "t", i) for i in range(9)])
    positions, tokens = torch.arange(9), torch.arange(9 * 20).reshape(9, 20)
    together = gumbel_noise(keys, positions, tokens)
    order = torch.tensor([8, 3, 5])
    assert torch.equal(gumbel_noise(keys[order], positions[order], tokens[order]), together[order])
    back = tokens.flip(1)
    assert torch.equal(gumbel_noise(keys, positions, back), together.flip(1))


def test_the_noise_is_what_it_has_always_been() -> None:
    """Published samples can be drawn again only while this does not change."""
    key = sample_key(1234, "sha256:abc", "HumanEval/0", 7)
    noise = gumbel_noise(torch.tensor([key]), torch.tensor([3]), torch.tensor([[0, 1, 50_000]]))
    assert key == KNOWN_KEY
    assert noise[0].tolist() == pytest.approx(KNOWN_NOISE, rel=1e-12)


def test_every_part_of_a_key_counts() -> None:
    keys = {
        sample_key(1, "m", "t", 0),
        sample_key(2, "m", "t", 0),
        sample_key(1, "n", "t", 0),
        sample_key(1, "m", "u", 0),
        sample_key(1, "m", "t", 1),
    }
    assert len(keys) == 5
    assert all(-(2**63) <= key < 2**63 for key in keys)
