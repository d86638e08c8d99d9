"""What is wrong with a part of a file of samples, said before it is known where that stands."""

from __future__ import annotations


class UnfitError(ValueError):
    """Something that cannot be read as a sample; the text is the reason."""
