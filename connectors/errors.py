"""Failures of a feed, classed by what the operator does next.

Messages say what was found, what was wanted and what to do. They never hold a secret, a query string or a
value of a person.
"""

from __future__ import annotations


class FeedError(Exception):
    """Something is wrong with the way a source delivers.

    `source`, `found`, `wanted` and `do` are kept apart.
    """

    def __init__(self, source: str, *, found: str, wanted: str, do: str) -> None:
        super().__init__(f"{source}: found {found}; wanted {wanted}; {do}")
        self.source, self.found, self.wanted, self.do = source, found, wanted, do

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_feed_error, (type(self), self.source, self.found, self.wanted, self.do)


def _rebuild_feed_error(kind: type[FeedError], source: str, found: str, wanted: str, do: str) -> FeedError:
    return kind(source, found=found, wanted=wanted, do=do)


class FeedUnavailable(FeedError):
    """The department cannot be reached or does not answer in time: retry later, nothing of it was used."""


class FeedRefused(FeedError):
    """Credentials, host key, signature or the connection's settings are wrong.

    Stop and call; retrying cannot help.
    """
