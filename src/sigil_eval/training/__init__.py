"""From a configuration of the finetuner's and rows of prompts and answers to checkpoints of an
adapter: `train.py` first. docs/training.md says what it does, ADR-014 why.

trl, peft and torch are imported when they are needed: a configuration that is wrong costs nothing.
"""
