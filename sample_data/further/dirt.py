"""A few bad rows about nobody in the larger feeds, far below the share that would hold a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sample_data.further.case import Teller
from sample_data.further.papers import commit, drive, house, insure, pay, treat
from sample_data.numbers import number_of_nobody

# One household in so many is followed by one bad row in each of these feeds; the smallest provinces have none.
_EVERY = 47
_FIRST = 96


@dataclass
class _Spoiled:
    """Hands rows on with values that make them bad, and why they are."""

    add: Callable[..., None]
    wrong: dict[str, str]
    reasons: tuple[str, ...]

    def __call__(self, source: str, at: int, values: dict[str, str], reasons: tuple[str, ...]) -> None:
        self.add(source, at, values | self.wrong, self.reasons)


# How a row is told, what is wrong with it, and the reason it must be quarantined for.
_KINDS: tuple[tuple[Callable[[Teller], None], dict[str, str], str], ...] = (
    (lambda told: pay(told, 1, told.serial()), {"amount": "六百四十"}, "money_unparseable"),
    (drive, {"use_nature": "自用"}, "code_unknown"),
    (house, {"registered_on": "2015年3月"}, "date_unparseable"),
    (lambda told: insure(told, -1, "382.00"), {}, "date_in_future"),
    (lambda told: treat(told, 0), {"self_paid": "-0.01"}, "money_negative"),
    (lambda told: commit(told, "守信承诺", None), {"id_number": "99900119700101001"}, "id_malformed"),
)


def is_followed_by_dirt(at: int) -> bool:
    """Whether bad rows stand after the household at this position."""
    return at >= _FIRST and (at - _FIRST) % _EVERY == 0


def add_dirt(told: Teller, at: int) -> None:
    """One bad row about nobody for each of the larger feeds."""
    nobody = {"id_number": number_of_nobody(at * 4 + 3), "name": "示例无人"}
    for tell, wrong, reason in _KINDS:
        tell(told.through(_Spoiled(told.add, nobody | wrong, (reason,))))
