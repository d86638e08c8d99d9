"""The rows and files that leave a room, typed; their JSON Schemas are in schema/.

The schemas are generated from these types (tests/python/schemas.py), and a test says so.
"""

from sigil_eval.documents.dataset_check import DatasetCheck
from sigil_eval.documents.dataset_made import DatasetMade
from sigil_eval.documents.metadata import Metadata
from sigil_eval.documents.metrics import Metrics
from sigil_eval.documents.reproduction import Reproduction
from sigil_eval.documents.rows import ExtractionRow, ResultRow, SampleRow

__all__ = [
    "DatasetCheck",
    "DatasetMade",
    "ExtractionRow",
    "Metadata",
    "Metrics",
    "Reproduction",
    "ResultRow",
    "SampleRow",
]
