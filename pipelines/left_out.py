"""Libraries that a process does without: whoever looks for one is told that it is not there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def leave_out(library: str) -> None:
    """From now on, if it is not imported yet. Only for a process that does one thing: it holds to its end.

    Arrow imports pandas at its first conversion of a list, to ask whether that is one of its. It would take a None in
    sys.modules for the library itself.
    """
    if library not in sys.modules:
        sys.meta_path.insert(0, _LeftOut(library))


class _LeftOut(MetaPathFinder):
    def __init__(self, library: str) -> None:
        self._library = library

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == self._library:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None
