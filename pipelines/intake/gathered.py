"""What reading one file of a department yields besides the rows it keeps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.identity.idnumber import birth_dates
from pipelines.intake.files import FileOutcome
from pipelines.intake.persons import distinct

_COUNTS = ("unauthorised", "kept", "kept_sum", "ambiguous", "first_future")


@dataclass
class Gathered:
    """Counts of one file's kept rows.

    first_row: the number of its first kept row;
    ambiguous: mistyped rows that several people of their name are one edit away from;
    first_future: the earliest day after the as-of date that a verdict hung on, as yyyymmdd (0: none).
    """

    outcome: FileOutcome
    first_row: int = 0
    unauthorised: int = 0
    kept: int = 0
    kept_sum: int = 0
    ambiguous: int = 0
    first_future: int = 0
    _registers: list[NDArray[np.int64]] = field(default_factory=list)

    @property
    def registers(self) -> NDArray[np.int64]:
        """Keyed digests of the registers to look at again: each once, in order."""
        return distinct(*self._registers)

    def note_registers(self, found: NDArray[np.int64]) -> None:
        self._registers.append(found)

    def note_future(self, day: int) -> None:
        if day:
            self.first_future = min(day, self.first_future or day)

    def note_unborn(self, chars: NDArray[np.uint8], as_of: date) -> None:
        """Note the first day of birth after as_of among invalid numbers: they may be valid then. chars: (n, 18)."""
        births = birth_dates(chars)
        unborn = births[births > as_yyyymmdd(as_of)]
        self.note_future(int(unborn.min()) if len(unborn) else 0)

    def is_judged_alike(self, as_of: date) -> bool:
        """Whether every row would be judged on that later day as it was."""
        return not self.first_future or as_yyyymmdd(as_of) < self.first_future

    def as_dict(self) -> dict[str, Any]:
        """Everything but the quarantine and the registers."""
        return {
            "name": self.outcome.name,
            "received": self.outcome.received,
            "codes": {column: dict(counts) for column, counts in self.outcome.codes.items()},
            **{name: getattr(self, name) for name in _COUNTS},
        }

    @staticmethod
    def from_dict(told: dict[str, Any]) -> Gathered:
        codes = {column: Counter(counts) for column, counts in told["codes"].items()}
        outcome = FileOutcome(told["name"], received=told["received"], codes=codes)
        return Gathered(outcome, **{name: told[name] for name in _COUNTS})


def as_yyyymmdd(day: date) -> int:
    return day.year * 10000 + day.month * 100 + day.day
