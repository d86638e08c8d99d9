"""What a cluster should take, calculated from what one worker and one GPU were measured to take:

    python benchmarks/scaling/paper.py

Nothing is run. docs/scaling.md says where each figure comes from, and where the model breaks.
"""

from __future__ import annotations

# Seconds. Of one core for a program, all in, and for a sample that is read; of the machine that a
# run is started on for a sample that others read, and for a program that is handed out and taken
# back; for whatever comes first.
PROGRAM, READ, TAKEN, HANDED, BEGIN = 1 / 95.9, 0.0006, 0.000025, 0.0003, 20.0
# So many samples that machine reads itself, before others are asked.
FEW = 2000
SAMPLES = 164 * 100
# Of one H100 at 407 answers under way; an answer's tokens, on average and at most; how long a step
# takes however few answers there are, and a model to be loaded.
TOKENS_PER_SECOND, TOKENS, LONGEST, STEP, LOAD = 6846.0, 150, 512, 0.036, 60.0
DOLLARS_PER_GPU_HOUR = 3.00
CORES_PER_GPU = 26


def judging(workers: int, samples: int) -> float:
    """Seconds to score distinct samples."""
    few = min(samples, FEW)
    reading = few * READ + (samples - few) * max(READ / workers, TAKEN)
    return BEGIN + reading + max(samples * PROGRAM / workers, samples * HANDED)


def drawing(gpus: int, samples: int) -> float:
    """Seconds to load a model and draw samples, in two blocks for each GPU."""
    by_speed = samples * TOKENS / (TOKENS_PER_SECOND * gpus)
    return LOAD + max(by_speed, 2 * LONGEST * STEP)


def main() -> None:
    print(f"judging {SAMPLES} distinct programs\n| workers | seconds | times one | judging alone |")
    print("| --: | --: | --: | --: |")
    for workers in (1, 2, 4, 8, 26, 104, 416, 1000):
        took, first = judging(workers, SAMPLES), judging(1, SAMPLES)
        only = SAMPLES * PROGRAM / max(SAMPLES * PROGRAM / workers, SAMPLES * HANDED)
        print(f"| {workers} | {took:.0f} | {first / took:.1f} | {only:.1f} |")
    print("\none checkpoint, drawn and judged\n| GPUs | draw, s | judge, s | dollars |")
    print("| --: | --: | --: | --: |")
    for gpus in (1, 2, 4, 8, 16, 64):
        draw, judge = drawing(gpus, SAMPLES), judging(CORES_PER_GPU * gpus, SAMPLES)
        dollars = (draw + judge) / 3600 * gpus * DOLLARS_PER_GPU_HOUR
        print(f"| {gpus} | {draw:.0f} | {judge:.0f} | {dollars:.2f} |")


if __name__ == "__main__":
    main()
