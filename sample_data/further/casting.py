"""Which household plays which further case, for the whole province at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_data.casting import NOBODY, Casting
from sample_data.cells import Bools, Ints
from sample_data.dice import Dice
from sample_data.figures import Figures
from sample_data.further.case import Case
from sample_data.people import CHILD, FIRST_DAY, LAST_DAY, MEMBER, SIGNED, SPOUSE, ages_of
from sample_data.world import World, draw_world

_SHARE = 0.25
_SIGNED_FOR_ALL = (SIGNED, LAST_DAY, FIRST_DAY)
# Who a scenario that hosts a case is about.
_HOST_SUBJECT = {"deceased": 1, "deceased-today": 1}


@dataclass(frozen=True)
class Part:
    """subject: position of the member the case is about. tie: position of the playing's first household."""

    case: Case
    subject: int
    tie: int


def cast_cases(
    cases: dict[str, Case], casting: Casting, figures: Figures, dice: Dice, seed: int, stretch: int
) -> dict[int, Part]:
    """Parts by position. A household plays one case at most.

    Planted cases come first, each once as far as there are households for it; then as many more of each as
    their share of the quiet households allows.
    """
    playable = [judged for one in cases.values() if (judged := one.under(figures)) is not None]
    playable.sort(key=lambda one: not one.planted)
    hosts = {one.name: at for at, one in enumerate(casting.scenarios)}
    fit = _fit_of(playable, casting, figures, dice, stretch)
    more = int((casting.part == NOBODY).sum() * _SHARE) // max(len(playable), 1)
    draw = np.random.default_rng(np.random.PCG64([seed, 2]))
    parts: dict[int, Part] = {}
    places = {one.name: draw.permutation(fit[one.name][0]) for one in playable}
    for one in playable:
        playing = int((casting.part == hosts.get(one.host, len(hosts))).sum())
        _give_out(one, places, fit, max(1, playing // 8), parts)
    for one in playable:
        if not one.host:
            _give_out(one, places, fit, more, parts)
    return parts


def _give_out(
    one: Case, places: dict[str, Ints], fit: dict[str, tuple[Ints, Ints]], wanted: int, parts: dict[int, Part]
) -> None:
    free = [at for at in places[one.name].tolist() if at not in parts][: wanted * one.homes]
    subjects = dict(zip(*(column.tolist() for column in fit[one.name]), strict=True))
    for first in range(0, len(free) - one.homes + 1, one.homes):
        for at in free[first : first + one.homes]:
            parts[at] = Part(one, subjects[at], free[first])


def _fit_of(
    cases: Iterable[Case], casting: Casting, figures: Figures, dice: Dice, stretch: int
) -> dict[str, tuple[Ints, Ints]]:
    """For each case the positions that fit, ascending, and the subject of each."""
    cases = list(cases)
    found: dict[str, list[tuple[Ints, Ints]]] = {one.name: [] for one in cases}
    for start in range(0, len(casting), stretch):
        # The draws ask nothing but the household's key, so the people are those of the real drawing.
        world = draw_world(dice, casting, figures, start, min(start + stretch, len(casting)), 0.0)
        subjects = dict(_subjects(world))
        for one in cases:
            rows, who = _rows_for(one, world, casting, subjects)
            found[one.name].append((world.households.at[rows], who))
    return {
        name: (np.concatenate([at for at, _ in pieces]), np.concatenate([who for _, who in pieces]))
        for name, pieces in found.items()
    }


def _rows_for(one: Case, world: World, casting: Casting, subjects: dict[str, Ints]) -> tuple[Ints, Ints]:
    homes = world.households
    if one.host:
        names = [scenario.name for scenario in casting.scenarios]
        host = names.index(one.host) if one.host in names else len(names)
        rows = np.flatnonzero(homes.part == host)
        return rows, np.full(len(rows), _HOST_SUBJECT.get(one.host, 0))
    quiet = (homes.part == NOBODY) & ~homes.monitored & homes.active
    who = subjects[one.kind]
    rows = np.flatnonzero(quiet & (who >= 0) & np.isin(homes.programme, one.programmes))
    return rows, who[rows]


def _subjects(world: World) -> Iterator[tuple[str, Ints]]:
    """For each kind the position of the household's first member who is one, −1 for none."""
    homes, people = world.households, world.people
    age = ages_of(people, world.figures)
    member = people.role == MEMBER
    signed = member & np.isin(people.signed, _SIGNED_FOR_ALL)
    head, second = signed & (people.position == 0), signed & (people.position == 1)
    several = (homes.members > 1)[people.home]
    spouse: NDArray[np.bool_] = np.zeros(len(homes), np.bool_)
    spouse[people.home[member & (people.relation == SPOUSE)]] = True
    both = np.zeros(len(homes), np.int64)
    np.add.at(both, people.home[head | (second & (people.relation == SPOUSE))], 1)
    adult_child = signed & (people.relation == CHILD) & (age >= 19) & (age < 40)
    well = (people.grade == 0) & ~people.ill
    kinds: dict[str, Bools] = {
        "head": head,
        "second": second,
        "lone": head & several & ~spouse[people.home],
        "couple": head & (both == 2)[people.home],
        "disabled": signed & (people.grade > 0),
        "able": signed & well,
        "grown_child": adult_child & well,
    }
    for kind, rows in kinds.items():
        first = np.full(len(homes), -1)
        where = np.flatnonzero(rows)[::-1]
        first[people.home[where]] = people.position[where]
        yield kind, first
