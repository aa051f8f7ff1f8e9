"""Synthetic persons and the many ways in which feeds write their numbers, names, money and dates.

Every number has the place code 999xxx, which no division has, so it belongs to nobody.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .identity import CHECK_CHARACTERS, check_character, one_step_apart

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
# some end in byte 0x7C in GB18030, some take four bytes
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英坾攟衸𠮷䶮"
FULL_WIDTH = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "0123456789X"})


@dataclass(frozen=True)
class Someone:
    number: str
    name: str

    @property
    def birth(self) -> date:
        return date(int(self.number[6:10]), int(self.number[10:12]), int(self.number[12:14]))


class People:
    """Gives out persons whose numbers are never one step apart by accident."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.given: set[str] = set()

    def new(self, birth: date | None = None, name: str | None = None) -> Someone:
        rng = self.rng
        while True:
            day = birth or date(rng.randint(1940, 2012), rng.randint(1, 12), rng.randint(1, 28))
            first = f"999{rng.randint(100, 999)}{day:%Y%m%d}{rng.randint(0, 999):03d}"
            number = first + check_character(first)
            if number not in self.given and not any(one_step_apart(number, g) for g in self.given):
                break
        self.given.add(number)
        return Someone(
            number, name or rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.randint(1, 2)))
        )

    def twin(self, one: Someone, wrong: str) -> Someone | None:
        """Somebody else of the same name whose number is one step from `wrong` too (an ambiguous repair)."""
        for at in range(17):
            for digit in "0123456789":
                number = wrong[:at] + digit + wrong[at + 1 :]
                if number != one.number and number not in self.given and is_plain_valid(number):
                    self.given.add(number)
                    return Someone(number, one.name)
        return None


def is_plain_valid(number: str) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return number[17] == check_character(number[:17]) and date(1900, 1, 1) <= born <= date(2026, 1, 1)


def wrong_check(number: str, rng: random.Random) -> str:
    """A suspect number: one substituted check character."""
    return number[:17] + rng.choice([c for c in CHECK_CHARACTERS if c != number[17]])


def substituted(number: str, rng: random.Random) -> str:
    """A suspect number: one substituted digit."""
    while True:
        at = rng.randrange(17)
        wrong = number[:at] + rng.choice([d for d in "0123456789" if d != number[at]]) + number[at + 1 :]
        if not is_plain_valid(wrong):
            return wrong


def swapped(number: str, rng: random.Random) -> str:
    """A suspect number: one swap of neighbours."""
    places = [i for i in range(16) if number[i] != number[i + 1]]
    at = rng.choice(places)
    wrong = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return wrong if not is_plain_valid(wrong) else substituted(number, rng)


def id_forms(someone: Someone, rng: random.Random, can_be_15: bool) -> str:
    """NFKC, white space, lower case, 15 digits (which need an equal readable name)."""
    number = someone.number
    if can_be_15 and number[6:8] == "19" and rng.random() < 0.1:
        return number[:6] + number[8:17]
    way = rng.randrange(14)
    if way == 0:
        return number.lower()
    if way == 1:
        return number.translate(FULL_WIDTH)
    if way == 2:
        return f"{number[:6]} {number[6:14]} {number[14:]}"
    if way == 4:
        return f"{number[:17]}\t{number[17:]}"
    if way == 3:
        return f"{number[:6]}　{number[6:]}"
    return number


def name_forms(name: str, rng: random.Random) -> str:
    """Equal after normalising: separators, white space, full-width letters, case."""
    way = rng.randrange(14)
    if way == 0:
        return name[:1] + rng.choice("·•.・‧∙") + name[1:]
    if way == 1:
        return f"{name[:1]}　{name[1:]}"
    if way == 2:
        return name[:1] + rng.choice(" \t\u2028\u1680\u3000") + name[1:]
    return name


def unreadable_name(name: str, rng: random.Random) -> str:
    marks = ("*", "?", "\uff1f", "\u25a1", "\u25a0", "\u3013", "\uff0a", "\ue000", "\U000f0000")
    return rng.choice(["", "\u00b7 ", *(name[:1] + mark for mark in marks)])


def money_forms(amount: Decimal, rng: random.Random) -> str:
    """Thousands commas in groups of three, as many places as wanted."""
    way = rng.randrange(6)
    if way == 0:
        return f"{amount:,}"
    if way == 1 and amount == amount.to_integral():
        return str(int(amount)) + rng.choice([".0", ".00", ".0000"])
    return f"{amount:f}"


def date_forms(day: date, rng: random.Random) -> str:
    way = rng.randrange(5)
    if way == 0:
        return f"{day:%Y%m%d}"
    if way == 1:
        return f"{day.year}/{day.month}/{day.day}"
    if way == 2:
        return f"{day:%Y/%m/%d}"
    return day.isoformat()


def month_forms(month: str, rng: random.Random) -> str:
    return month if rng.random() < 0.6 else month.replace("-", "")


def white_space(text: str, rng: random.Random) -> str:
    """Surrounding white space never counts."""
    if rng.random() < 0.04:
        return rng.choice([f" {text}", f"{text} ", f"　{text}　", f"\u00a0{text}", f"\t{text}"])
    return text
