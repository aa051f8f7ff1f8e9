"""Section 3 of the specification, first half: ID numbers and names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
SEPARATORS = "\u00b7\u2022.\u30fb\u2027\u2219"  # as U+2022 and friends: they look alike
UNREADABLE = "?*\u25a1\u25a0\u3013\ufffd"


def check_character(first_17: str) -> str:
    """GB 11643: the weighted sum of the first 17 digits, modulo 11."""
    return CHECK_CHARACTERS[sum(int(d) * w for d, w in zip(first_17, WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True)
class IdNumber:
    text: str  # normalised, 18 characters
    was_15: bool
    valid: bool

    @property
    def birth(self) -> date:
        return _birth(self.text)  # type: ignore[return-value]


def _birth(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _is_valid(number: str, as_of: date) -> bool:
    born = _birth(number)
    return (
        check_character(number[:17]) == number[17] and born is not None and date(1900, 1, 1) <= born <= as_of
    )


def without_white_space(text: str) -> str:
    return "".join(c for c in text if not c.isspace())


def read_id(text: str, as_of: date) -> IdNumber | None:
    """None when malformed."""
    number = without_white_space(unicodedata.normalize("NFKC", text)).upper()
    was_15 = re.fullmatch("[0-9]{15}", number) is not None
    if was_15:
        number = number[:6] + "19" + number[6:]
        number += check_character(number)
    if not re.fullmatch("[0-9]{17}[0-9X]", number):
        return None
    return IdNumber(number, was_15, _is_valid(number, as_of))


def normalise_name(text: str) -> str:
    name = without_white_space(unicodedata.normalize("NFKC", text))
    return "".join(c for c in name if c not in SEPARATORS).upper()


def is_readable(normalised: str) -> bool:
    return bool(normalised) and not any(
        c in UNREADABLE or unicodedata.category(c) == "Co" for c in normalised
    )


def one_step_apart(a: str, b: str) -> bool:
    """One substituted character, or one swap of neighbours."""
    if len(a) != len(b) or a == b:
        return False
    differing = [i for i in range(len(a)) if a[i] != b[i]]
    if len(differing) == 1:
        return True
    if len(differing) != 2 or differing[1] != differing[0] + 1:
        return False
    i, j = differing
    return a[i] == b[j] and a[j] == b[i]


def age(born: date, day: date) -> int:
    """Attained on the birthday."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
