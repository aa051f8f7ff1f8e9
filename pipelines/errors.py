"""What went wrong, classed by what the operator does next."""

from __future__ import annotations

from pathlib import Path


class HeduiError(Exception):
    """A message for people; never carries a person's value."""


def place_of(error: BaseException) -> str:
    """File and line an error comes from: what can be told of it when its message could quote a person's value."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"


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
