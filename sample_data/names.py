"""Names of sample people, and the ways departments write one name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from sample_data.cells import Bools, Cells, Ints, Keys, table_of
from sample_data.dice import Dice

# How a name is written: as it is; with another separator or a gap; so that nobody can read it; not at all.
PLAIN, VARIED, UNREADABLE, EMPTY = range(4)

_LISTS = tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))
_SURNAMES: list[str] = _LISTS["surnames"]
_PARTED: list[list[str]] = _LISTS["parted"]
_GAPS: list[str] = _LISTS["gaps"]
_SEPARATORS: list[str] = _LISTS["separators"]
_UNREADABLE: list[str] = _LISTS["unreadable"]


def _given_of(characters: list[str]) -> list[str]:
    return characters + ["".join(pair) for pair in product(characters, repeat=2)]


_MALE = _given_of(_LISTS["given_male"])
_FEMALE = _given_of(_LISTS["given_female"])
_RARE: list[str] = _LISTS["given_rare"]
_FIRST = [*_SURNAMES, *(first for first, _ in _PARTED)]
_SECOND = [*_MALE, *_FEMALE, *_RARE, *(second for _, second in _PARTED), *_UNREADABLE]
_MIDDLE = [*_GAPS, *_SEPARATORS]
_FIRST_PARTED = len(_SURNAMES)
_FIRST_RARE = len(_MALE) + len(_FEMALE)
_FIRST_PARTED_SECOND = _FIRST_RARE + len(_RARE)
_FIRST_UNREADABLE = _FIRST_PARTED_SECOND + len(_PARTED)

_RARE_SHARE = 0.004
_PARTED_SHARE = 0.006


@dataclass
class Names:
    """People's names as indices into the lists: first part and second part of each."""

    first: Ints
    second: Ints

    def take(self, rows: Ints) -> Names:
        return Names(self.first[rows], self.second[rows])


def draw_names(dice: Dice, keys: Keys, families: Ints, male: Bools) -> Names:
    """Names by person; people of one family share the surname index `families`."""
    chosen = np.where(
        male,
        dice.below("name.male", keys, len(_MALE)),
        len(_MALE) + dice.below("name.female", keys, len(_FEMALE)),
    )
    rare = dice.chance("name.rare", keys, _RARE_SHARE)
    second = np.where(rare, _FIRST_RARE + dice.below("name.rare.which", keys, len(_RARE)), chosen)
    parted = dice.chance("name.parted", keys, _PARTED_SHARE)
    which = dice.below("name.parted.which", keys, len(_PARTED))
    return Names(
        np.where(parted, _FIRST_PARTED + which, families % len(_SURNAMES)),
        np.where(parted, _FIRST_PARTED_SECOND + which, second),
    )


def surname_count() -> int:
    return len(_SURNAMES)


@cache
def _tables(encoding: str) -> tuple[Cells, Cells, Cells]:
    # The empty word at the end of each list writes nothing.
    return tuple(table_of([*words, ""], encoding) for words in (_FIRST, _MIDDLE, _SECOND))  # type: ignore[return-value]


def cells_of_names(names: Names, styles: Ints, dice: Dice, keys: Keys, encoding: str) -> list[Cells]:
    """The three columns of bytes (first part, between, second part) of names written in a style each."""
    first_table, middle_table, second_table = _tables(encoding)
    parted = names.first >= _FIRST_PARTED
    first, second = names.first, names.second
    middle = np.where(parted, len(_GAPS), 0)
    odd = np.flatnonzero(styles != PLAIN)
    if len(odd):
        first, second = first.copy(), second.copy()
        style, draws = styles[odd], keys[odd]
        other_separator = len(_GAPS) + 1 + dice.below("name.separator", draws, len(_SEPARATORS) - 1)
        other_gap = 1 + dice.below("name.gap", draws, len(_GAPS) - 1)
        middle[odd] = np.where(
            style == VARIED, np.where(parted[odd], other_separator, other_gap), middle[odd]
        )
        blurred = _FIRST_UNREADABLE + dice.below("name.unreadable", draws, len(_UNREADABLE))
        second[odd] = np.where(style == UNREADABLE, blurred, second[odd])
        first[odd] = np.where(style == EMPTY, -1, first[odd])
        middle[odd] = np.where(style == EMPTY, -1, middle[odd])
        second[odd] = np.where(style == EMPTY, -1, second[odd])
    return [
        _narrow(np.take(table, which, axis=0, mode="wrap"))
        for table, which in ((first_table, first), (middle_table, middle), (second_table, second))
    ]


def _narrow(cells: Cells) -> Cells:
    """Without the columns on the right that no row uses."""
    used = np.flatnonzero(cells.any(axis=0))
    return cells[:, : int(used[-1]) + 1 if len(used) else 0]


def text_of_name(names: Names, row: int) -> str:
    """One person's name as the roster writes it."""
    first, second = int(names.first[row]), int(names.second[row])
    return _FIRST[first] + (_SEPARATORS[0] if first >= _FIRST_PARTED else "") + _SECOND[second]
