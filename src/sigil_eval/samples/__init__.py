"""Files of samples as people have them, whichever tool has written them, read into rows of ours."""

from sigil_eval.samples.reading import STANDARD_INPUT, SampleFile, read_samples

__all__ = ["STANDARD_INPUT", "SampleFile", "read_samples"]
