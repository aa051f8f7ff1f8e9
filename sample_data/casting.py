"""Who plays what: one scenario for each chosen household, for the whole province at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_data.cells import Bools, Ints
from sample_data.figures import Figures
from sample_data.scenario import Scenario

NOBODY = -1
_LEAST_MONITORED = 30
_HOUSEHOLDS_TO_ONE_MONITORED = 20
_PLANTED_SHARE = {"roster": 0.16, "monitored": 0.4}
_NEAR_MISS_SHARE = {"roster": 0.12, "monitored": 0.3}


@dataclass(frozen=True)
class Casting:
    """By position, which counts roster and monitored households together from 0.

    monitored: which list the household stands on. part: index into `scenarios`, NOBODY for the quiet ones.
    The households at positions 2k and 2k + 1 belong together where a scenario needs two.
    """

    scenarios: tuple[Scenario, ...]
    monitored: Bools
    part: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.part)


def monitored_households(households: int) -> int:
    """How many monitored households a province with so many roster households has."""
    return _LEAST_MONITORED + households // _HOUSEHOLDS_TO_ONE_MONITORED


def cast_scenarios(catalogue: dict[str, Scenario], figures: Figures, households: int, seed: int) -> Casting:
    """Choose positions for every scenario the policy allows; planted ones first, then near misses.

    Each is played once, in the catalogue's order, as far as its group's share of the households reaches;
    what is left of the share goes to them by weight.
    """
    playable = tuple(one for one in catalogue.values() if all(_has(figures, need) for need in one.needs))
    monitored = _monitored(households)
    part = np.full(len(monitored), NOBODY, np.int16)
    draw = np.random.default_rng(np.random.PCG64(seed))
    index = {one.name: at for at, one in enumerate(playable)}
    for planted in (True, False):
        shares = _PLANTED_SHARE if planted else _NEAR_MISS_SHARE
        for group, share in shares.items():
            cast = [
                one
                for one in playable
                if one.group == group and one.planted == planted and not one.is_partner
            ]
            total = int((monitored == (group == "monitored")).sum() * share)
            for one, count in zip(cast, _counts(cast, total), strict=True):
                places = _free_places(one, catalogue, monitored, part, draw)[:count]
                part[places] = index[one.name]
                if one.partner:
                    part[_partner_places(one, places)] = index[one.partner]
    return Casting(playable, monitored, part)


def _has(figures: Figures, need: str) -> bool:
    return figures.knows(need) if ":" in need else bool(getattr(figures, need))


def _monitored(households: int) -> Bools:
    """Spread evenly over the second places of the pairs of positions."""
    count = monitored_households(households)
    total = households + count
    pairs = total // 2
    steps = np.arange(pairs + 1) * count // pairs
    monitored = np.zeros(total, np.bool_)
    monitored[1 : 2 * pairs : 2] = np.diff(steps) > 0
    return monitored


def _counts(cast: list[Scenario], total: int) -> list[int]:
    weights = np.array([one.weight for one in cast])
    rest = max(total - len(cast), 0)
    more = np.floor(weights / weights.sum() * rest).astype(int) if len(cast) else []
    return [int(at < total) + int(extra) for at, extra in enumerate(more)]


def _free_places(
    scenario: Scenario,
    catalogue: dict[str, Scenario],
    monitored: Bools,
    part: NDArray[np.int16],
    draw: np.random.Generator,
) -> Ints:
    free = (part == NOBODY) & (monitored == (scenario.group == "monitored"))
    if scenario.partner:
        other = monitored == (catalogue[scenario.partner].group == "monitored")
        usable = (part == NOBODY) & other
        # The partner of an even position is the next one, of an odd position the one before.
        both = free.copy()
        even = len(free) // 2 * 2
        both[0:even:2] &= usable[1:even:2]
        both[1:even:2] &= usable[0:even:2]
        both[even:] = False
        if scenario.group == "roster":
            both[1::2] = False
        free = both
    return draw.permutation(np.flatnonzero(free))


def _partner_places(scenario: Scenario, places: Ints) -> Ints:
    return places + 1 if scenario.group == "roster" else places - 1
