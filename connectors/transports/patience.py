"""How long one operation goes on trying.

Exponential back-off with jitter, the server's own wish, and a deadline decide.
"""

from __future__ import annotations

import random
import time

from connectors.errors import FeedUnavailable
from connectors.transports.settings import Limits


class Patience:
    """The time and the tries left for one operation of one feed.

    Jitter is full (0 to the back-off): counties whose nights begin at the same minute must not return
    together.
    """

    def __init__(self, source: str, limits: Limits) -> None:
        self._source, self._limits = source, limits
        self._ends = time.monotonic() + limits.deadline_seconds
        self._failures = 0

    def check(self) -> None:
        """Raise FeedUnavailable when the deadline has passed."""
        if time.monotonic() > self._ends:
            raise FeedUnavailable(
                self._source,
                found="no complete answer before the deadline",
                wanted=f"one within {self._limits.deadline_seconds:g} s",
                do="run again later, or raise DEADLINE_SECONDS",
            )

    def progressed(self) -> None:
        """Something new arrived and is kept: tries count from zero again, the deadline stays."""
        self._failures = 0

    def pause(self, why: str, at_least: float = 0.0) -> None:
        """Wait before the next try. Raises FeedUnavailable when there is none.

        at_least: seconds the server asked for.
        """
        self._failures += 1
        if self._failures >= self._limits.attempts:
            raise FeedUnavailable(
                self._source,
                found=f"{why}, {self._failures} times in a row",
                wanted="an answer",
                do="run again later; if it stays so, call the department",
            )
        ceiling = min(
            self._limits.backoff_limit_seconds, self._limits.backoff_seconds * 2 ** (self._failures - 1)
        )
        self.sleep(max(at_least, random.uniform(0, ceiling)), why)  # noqa: S311 - jitter is no secret

    def sleep(self, seconds: float, why: str) -> None:
        """Wait `seconds`, unless the deadline comes first: then raise FeedUnavailable at once."""
        if time.monotonic() + seconds > self._ends:
            raise FeedUnavailable(
                self._source,
                found=f"{why}, and the next try in {seconds:.0f} s is after the deadline",
                wanted=f"an answer within {self._limits.deadline_seconds:g} s",
                do="run again later",
            )
        time.sleep(seconds)


class Pace:
    """Keeps requests at least `1 / per_second` apart; 0 means as fast as wanted."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def keep(self) -> None:
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._gap
