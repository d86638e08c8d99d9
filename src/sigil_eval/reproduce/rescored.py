"""What came of judging results again, kept for a day: of the same files by the same judge."""

from __future__ import annotations

import hashlib
import time

from sigil_eval.console import format_duration, mention
from sigil_eval.documents.metadata import Rescored
from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import dump_row, json_value, sha256_file
from sigil_eval.judging.judge import Judge
from sigil_eval.kept import Kept, kept_folder
from sigil_eval.problems import ProblemSet
from sigil_eval.record.software import judge_code_sha256
from sigil_eval.run_folder import MODES, RunFolder
from sigil_eval.scoring.proved import LASTS_SECONDS, verdicts_key
from sigil_eval.settings import RESCORED


class RescoredBefore:
    """What is known of the results in a folder, of which `seed` draws the usual number.

    The key is a hash of the results, of the draw, and of all that verdicts depend on.
    """

    def __init__(self, folder: RunFolder, problem_set: ProblemSet, judge: Judge, seed: int) -> None:
        self._kept = Kept(kept_folder("rescored", judge.settings.sandbox_mode))
        said = [verdicts_key(judge, problem_set, judge_code_sha256()), str(seed)]
        said.append(str(RESCORED.default))
        for mode in MODES:
            said += [f"{mode}/{p.name} {sha256_file(p)}" for p in folder.all_results(mode)]
        self._key = hashlib.sha256("\0".join(said).encode()).hexdigest()

    def find(self) -> Rescored | None:
        """What came of it, said aloud; None where the results are to be judged again."""
        data = self._kept.find(self._key)
        try:
            known = json_value(data) if data else None
            row = check(known["rescored"], Rescored, "kept results") if known else None
            ago = int(time.time() - known["at"]) if known else -1
        except (UsageError, ValueError, KeyError, TypeError):
            return None
        if row is None or not 0 <= ago <= LASTS_SECONDS:
            return None
        mention(f"{row['samples']} results were judged again {format_duration(ago)} ago")
        return {**row, "seconds_ago": ago}

    def keep(self, rescored: Rescored) -> None:
        """Keep what has just been found, where it leaves nothing open."""
        if rescored["agree"] == rescored["samples"] and not rescored["undecided"]:
            row = {"at": int(time.time()), "rescored": rescored}
            self._kept.keep(self._key, dump_row(row).encode())
