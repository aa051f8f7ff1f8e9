"""Households of a stretch of positions: where they live, what they receive, how many they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data.casting import NOBODY, Casting
from sample_data.cells import Bools, Cells, Ints, Keys, digits_of
from sample_data.dice import Dice
from sample_data.figures import DIBAO, MARGIN, RIGID, TEKUN, Figures

_PROGRAMME_WEIGHTS = (62, 16, 15, 7)
# How many members households have, from one on, by programme; the last row is for monitored households.
_SIZE_WEIGHTS = {
    DIBAO: (27, 26, 21, 14, 8, 4),
    TEKUN: (92, 6, 2),
    MARGIN: (8, 22, 30, 22, 12, 6),
    RIGID: (6, 20, 30, 25, 13, 6),
}
_SIZE_MONITORED = (12, 22, 26, 22, 12, 6)
_OBLIGOR_WEIGHTS = {
    DIBAO: (6, 8, 12, 17, 19, 17, 12, 9),
    TEKUN: (45, 20, 15, 12, 8),
    MARGIN: (4, 6, 11, 16, 22, 19, 14, 8),
    RIGID: (4, 6, 11, 16, 22, 19, 14, 8),
}
_KIN_SHARE = 0.12
_STOPPED_SHARE = 0.03


@dataclass
class Households:
    """Columns by household. Amounts are whole cents.

    at: position in the province. keys: what chance is asked with. place: index into figures.places. income:
    the members' true countable income, summed over the window. assets: what the accounts and policies in
    force are worth. premium: yearly premiums that count. declared_*: what the household told;
    declared_yearly is per person and year (monitored households only). foreign: cents of a currency, an
    index into the sorted others than CNY.
    """

    at: Ints
    keys: Keys
    monitored: Bools
    part: Ints
    programme: Ints
    place: Ints
    township: Ints
    members: Ints
    obligors: Ints
    kin: Ints
    strangers: Ints
    active: Bools
    eliminated: Bools
    has_obligor: Bools
    income: Ints
    assets: Ints
    premium: Ints
    declared_income: Ints
    declared_assets: Ints
    declared_yearly: Ints
    rigid_expenditure: Ints
    foreign: Ints
    currency: Ints

    def __len__(self) -> int:
        return len(self.at)


def draw_households(
    dice: Dice, casting: Casting, figures: Figures, start: int, stop: int, strangers: float
) -> Households:
    """Households at positions start to stop − 1; strangers: unknown people to every known one."""
    at = np.arange(start, stop)
    keys = at.astype(np.uint64)
    monitored, part = casting.monitored[start:stop], casting.part[start:stop].astype(np.int64)
    programme = dice.pick("programme", keys, _PROGRAMME_WEIGHTS)
    programme = _wanted(casting, part, "programme", programme)
    members = 1 + _by_programme(dice, "members", keys, programme, _SIZE_WEIGHTS)
    members = np.where(monitored, 1 + dice.pick("members.monitored", keys, _SIZE_MONITORED), members)
    members = _within(casting, part, "members", members)
    obligors = _within(
        casting, part, "obligors", _by_programme(dice, "obligors", keys, programme, _OBLIGOR_WEIGHTS)
    )
    obligors[monitored] = 0
    kin = _within(casting, part, "kin", dice.chance("kin", keys, _KIN_SHARE).astype(np.int64))
    stopped = dice.chance("stopped", keys, _STOPPED_SHARE) & (part == NOBODY)
    unknown = strangers * (members + obligors) + dice.share("strangers", keys)
    zeros = [np.zeros(len(at), np.int64) for _ in range(9)]
    return Households(
        at=at,
        keys=keys,
        monitored=monitored,
        part=part,
        programme=programme,
        place=dice.pick("place", keys, figures.weights().tolist()),
        township=dice.below("township", keys, 8),
        members=members,
        obligors=obligors,
        kin=kin,
        strangers=np.floor(unknown).astype(np.int64),
        active=~stopped & (_wanted(casting, part, "active", np.ones(len(at), np.int64)) == 1),
        eliminated=np.zeros(len(at), np.bool_),
        has_obligor=np.ones(len(at), np.bool_),
        income=zeros[0],
        assets=zeros[1],
        premium=zeros[2],
        declared_income=zeros[3],
        declared_assets=zeros[4],
        declared_yearly=zeros[5],
        rigid_expenditure=zeros[6],
        foreign=zeros[7],
        currency=zeros[8],
    )


def _by_programme(
    dice: Dice, question: str, keys: Keys, programme: Ints, weights: dict[int, tuple[int, ...]]
) -> Ints:
    drawn = np.zeros(len(keys), np.int64)
    for code, row in weights.items():
        drawn = np.where(programme == code, dice.pick(question, keys, row), drawn)
    return drawn


def _wanted(casting: Casting, part: Ints, name: str, drawn: Ints) -> Ints:
    """What the scenarios want, and what was drawn where they want nothing."""
    wanted = np.array([_or(getattr(one, name), NOBODY) for one in casting.scenarios] + [NOBODY])[part]
    return np.where(wanted == NOBODY, drawn, wanted)


def _or(value: int | bool | None, otherwise: int) -> int:
    return otherwise if value is None else int(value)


def _within(casting: Casting, part: Ints, name: str, drawn: Ints) -> Ints:
    ranges = [getattr(one, name) or (0, 99) for one in casting.scenarios] + [(0, 99)]
    least, most = np.array(ranges).T
    return np.clip(drawn, least[part], most[part])


def household_cells(households: Households, figures: Figures) -> Cells:
    """The household numbers: H (roster) or M (monitored), county code, position."""
    cells = np.empty((len(households), 16), np.uint8)
    cells[:, 0] = np.where(households.monitored, ord("M"), ord("H"))
    cells[:, 1:7] = county_cells(households.place, figures)
    cells[:, 7:] = digits_of(households.at, 9)
    return cells


def county_cells(place: Ints, figures: Figures) -> Cells:
    return digits_of(np.array([int(one.county) for one in figures.places])[place], 6)


def township_cells(households: Households, figures: Figures) -> Cells:
    rural = rural_of(households, figures)
    town = digits_of(np.where(rural, 101, 1) + households.township, 3)
    return np.concatenate([county_cells(households.place, figures), town], axis=1)


def rural_of(households: Households, figures: Figures) -> Bools:
    rural: Bools = np.array([one.area == "rural" for one in figures.places])[households.place]
    return rural
