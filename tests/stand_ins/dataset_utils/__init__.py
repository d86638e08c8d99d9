"""Stands in for the part of sigilderg-finetuner that PyPI's package lacks."""
