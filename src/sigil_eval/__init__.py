"""Score Rust answers to HumanEval-Rust, compare two models, and say how sure the comparison is."""

__version__ = "1.0.0"
