"""What may go wrong at a department, planned by source and kind."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

DATA_FAULTS = {
    "wrong-hash": "the receipt states another hash for its first file",
    "half-drop": "half of the files, and no receipt yet",
    "drift": "the last column of the first file has a new name",
}
LINE_FAULTS = {
    "slow": "every piece of an answer comes late",
    "torn": "the connection is cut in the middle of a file",
    "429": "too many requests, come back in a second",
    "503": "the service is down",
    "bad-signature": "receipts are signed with another key",
    "unknown-host-key": "the SFTP server shows another host key",
}
SLOW_SECONDS = 0.05  # how late a piece comes from a slow department
_PLAN = re.compile(r"([a-z][a-z0-9_]*|\*)=([a-z0-9-]+)(?::(\d{1,6}))?")


class Faults:
    """Planned faults. A line fault ends after its number of times, or when healed; `*` means every source."""

    def __init__(self, plans: Iterable[str] = ()) -> None:
        self._left: dict[tuple[str, str], int | None] = {}
        self._lock = threading.Lock()
        for plan in plans:
            self.plan_text(plan)

    def plan(self, source: str, kind: str, times: int | None = None) -> None:
        """From now on `source` has the fault, `times` times (None: until healed).

        Raises ValueError for an unknown kind.
        """
        if kind not in DATA_FAULTS and kind not in LINE_FAULTS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join([*DATA_FAULTS, *LINE_FAULTS])}")
        with self._lock:
            self._left[source, kind] = times

    def plan_text(self, plan: str) -> None:
        """As on the command line: banks=torn:2, *=slow. Raises ValueError."""
        match = _PLAN.fullmatch(plan)
        if match is None:
            raise ValueError(f"a fault is SOURCE=KIND or SOURCE=KIND:TIMES, found {plan!r}")
        self.plan(match[1], match[2], int(match[3]) if match[3] else None)

    def heal(self) -> None:
        with self._lock:
            self._left.clear()

    def planned(self) -> bool:
        """Whether anything was planned since the last healing, used up or not."""
        with self._lock:
            return bool(self._left)

    def holds(self, source: str, kind: str) -> bool:
        """Whether the fault is planned; it is not used up."""
        with self._lock:
            return any(self._left.get((who, kind), 0) != 0 for who in (source, "*"))

    def strike(self, source: str, kind: str) -> bool:
        """Whether the fault happens now; one of its times is used up."""
        with self._lock:
            for key in ((source, kind), ("*", kind)):
                left = self._left.get(key, 0)
                if left != 0:
                    self._left[key] = left if left is None else left - 1
                    return True
            return False
