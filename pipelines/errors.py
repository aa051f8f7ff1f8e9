"""What went wrong, classed by what the operator does next."""

from __future__ import annotations


class HeduiError(Exception):
    """A message for people; never carries a person's value."""


class UsageError(HeduiError):
    """Wrong arguments: exit status 2."""


class NightFailed(HeduiError):
    """The night cannot be published; the last published night is untouched: exit status 1."""


class SourceHeld(HeduiError):
    """A source that is not used tonight.

    reason: receipt_mismatch | header_mismatch | unreadable | stale | too_many_bad_rows (spec section 2).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
