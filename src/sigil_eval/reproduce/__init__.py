"""Does a finished run hold? Checked against itself, against this machine, and by judging again."""

from sigil_eval.reproduce.reproduction import faults, print_reproduction, reproduce
from sigil_eval.reproduce.rescored import RescoredBefore
from sigil_eval.reproduce.rescoring import agreement_sentence, rescore

__all__ = [
    "RescoredBefore",
    "agreement_sentence",
    "faults",
    "print_reproduction",
    "reproduce",
    "rescore",
]
