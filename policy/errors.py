"""What stops a run before any feed is read."""

from __future__ import annotations


class PolicyError(Exception):
    """A policy that cannot be used.

    The message names the file, the parameter and the date, says what was found and what was wanted, and what to do.
    """

    def __init__(self, *, file: object, key: str, date: object, found: str, wanted: str, remedy: str) -> None:
        when = "no date" if date is None else str(date)
        super().__init__(f"policy {file}, {key}, {when}: found {found}; wanted {wanted}; {remedy}")
