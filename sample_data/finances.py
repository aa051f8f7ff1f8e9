"""What households earn, own, pay and told: quiet amounts first, then each person's own part."""

from __future__ import annotations

import numpy as np

from sample_data.cells import Ints, shares_of
from sample_data.figures import ABSENT, MARGIN, PROGRAMME_CODES, RIGID, TEKUN
from sample_data.people import MEMBER, OBLIGOR, STRANGER, is_severe, make_mild
from sample_data.world import World

_ADULT_DAYS = 18 * 365 + 5
_YUAN = 100


def settle_quietly(world: World) -> None:
    """Amounts no rule asks about. A scenario may change them afterwards."""
    _settle_roster_incomes(world)
    _settle_assets(world)
    _settle_premiums(world)
    _settle_monitored(world)
    _settle_single_persons(world)


def _settle_roster_incomes(world: World) -> None:
    homes, figures, dice = world.households, world.figures, world.dice
    keys, place, members = homes.keys, homes.place, homes.members
    share = dice.share("income", keys)
    standard = figures.cents("standard", place, members, figures.window)
    most = np.select(
        [homes.programme == code for code in range(4)],
        [
            _or_else(figures.cents(f"check:{name}", place, members, figures.window), standard * 2)
            for name in PROGRAMME_CODES
        ],
    )
    low = np.floor(np.minimum(standard, most) * share * 0.85).astype(np.int64)
    none = dice.chance("income.none", keys, 0.45) | (
        (homes.programme == TEKUN) & dice.chance("tekun", keys, 0.6)
    )
    income = np.where(none, 0, low)
    declared = _ceil(income, figures.window) + dice.below("declared.more", keys, 100 * _YUAN)
    # Above the Dibao line, as the other two programmes are; what they told alone, or what was found as well.
    better = (homes.programme == MARGIN) | (homes.programme == RIGID)
    line = figures.cents("entry:dibao", place, members, figures.window, below=True) + 1
    above = line + np.floor((most - line) * (0.05 + 0.9 * share)).astype(np.int64)
    found = dice.chance("income.found", keys, 0.6)
    homes.income = np.where(better, np.where(found, above, low), income)
    homes.declared_income = np.where(better, _ceil(above, figures.window), declared)


def _settle_assets(world: World) -> None:
    homes, figures, dice = world.households, world.figures, world.dice
    keys, place, members = homes.keys, homes.place, homes.members
    year = figures.cents("standard", place, members, 12)
    limits = [_or_else(figures.cents(f"limit:{name}", place, members), year) for name in PROGRAMME_CODES]
    own = np.select([homes.programme == code for code in range(4)], limits)
    limit = np.where(homes.monitored, np.minimum.reduce(limits), own)
    share = dice.share("assets", keys)
    homes.assets = np.floor(limit * share * share * 0.7).astype(np.int64)
    homes.assets[dice.chance("assets.none", keys, 0.1)] = 0
    tolerance = int(figures.undeclared_assets * 100)
    less = np.floor(tolerance * dice.share("assets.told", keys)).astype(np.int64)
    round_up = _ceil(homes.assets, 100 * _YUAN) * 100 * _YUAN
    abroad = _settle_foreign(world, limit)
    told_less = dice.chance("assets.less", keys, 0.3)
    told = np.where(told_less, np.maximum(homes.assets - less, 0), round_up)
    homes.declared_assets = told + abroad


def _settle_foreign(world: World, limit: Ints) -> Ints:
    """A little money in another currency, in some households nothing else happens to; returns its worth,
    cents.
    """
    homes, figures, dice = world.households, world.figures, world.dice
    others = [float(value) for code, value in sorted(figures.fx.items()) if code != "CNY"]
    if not others:
        return np.zeros(len(homes), np.int64)
    some = dice.chance("foreign", homes.keys, 0.02) & (homes.part < 0)
    homes.currency = dice.below("foreign.currency", homes.keys, len(others))
    value = limit * 0.05 * dice.share("foreign.amount", homes.keys)
    homes.foreign = np.where(some, np.floor(value / np.array(others)[homes.currency]), 0).astype(np.int64)
    return np.where(some, np.ceil(value).astype(np.int64), 0)


def _settle_premiums(world: World) -> None:
    homes, figures, dice = world.households, world.figures, world.dice
    line = figures.cents("premium", homes.place, homes.members)
    insured = dice.chance("insured", homes.keys, 0.06)
    homes.premium = np.where(insured, np.floor(line * dice.share("premium", homes.keys) * 0.8), 0).astype(
        np.int64
    )


def _settle_monitored(world: World) -> None:
    """Income over every line of the four programmes but the rigid one, which their expenditure does not
    reach.
    """
    homes, figures, dice = world.households, world.figures, world.dice
    rows = np.flatnonzero(homes.monitored)
    keys, place, members, one = (
        homes.keys[rows],
        homes.place[rows],
        homes.members[rows],
        np.ones(len(rows), np.int64),
    )
    lines = [
        figures.cents(f"entry:{code}", place, one, 12, below=True) + 1 for code in PROGRAMME_CODES[:RIGID]
    ]
    line = np.maximum.reduce(lines)
    homes.declared_yearly[rows] = line + np.floor(line * dice.share("monitored", keys) * 1.5).astype(np.int64)
    yearly = homes.declared_yearly[rows] * members
    homes.income[rows] = np.floor(yearly * dice.share("monitored.found", keys) * 0.9 * figures.window / 12)
    homes.income[rows[dice.chance("monitored.none", keys, 0.5)]] = 0
    spent = float(figures.rigid_share) * 0.6 * dice.share("rigid", keys)
    homes.rigid_expenditure[rows] = np.floor(yearly * spent)
    homes.eliminated[rows] = dice.chance("eliminated", keys, 0.35) & (homes.part[rows] < 0)
    roster = np.flatnonzero(~homes.monitored)
    homes.rigid_expenditure[roster] = dice.below("rigid.roster", homes.keys[roster], 8000) * _YUAN


def _settle_single_persons(world: World) -> None:
    """No severe member where single-person coverage would be asked, and quiet obligors and strangers."""
    people, homes, figures, dice = world.people, world.households, world.figures, world.dice
    margin = ~homes.monitored & (homes.programme == MARGIN)
    make_mild(people, margin[people.home] & (people.role == MEMBER) & is_severe(people, figures))
    place, keys = homes.place[people.home], people.keys
    one = np.ones(len(people), np.int64)
    line = figures.cents("obligor", place, one, figures.window)
    looked_at = (homes.programme <= TEKUN)[people.home] & ~homes.monitored[people.home]
    share = dice.share("earns", keys)
    modest = np.floor(line * (0.1 + 0.85 * share)).astype(np.int64)
    free = (np.floor(1200 + 11000 * share * share).astype(np.int64) * figures.window) * _YUAN
    earning = dice.chance("earns.at.all", keys, 0.42)
    obligor = np.where(looked_at, modest, free)
    people.income = np.select(
        [(people.role == OBLIGOR) & earning, (people.role == STRANGER) & earning], [obligor, free], 0
    ).astype(np.int64)


def share_out_incomes(world: World) -> None:
    """Each household's true income over its earners: the head and, if grown up, often the second member."""
    people, dice = world.people, world.dice
    rows = np.flatnonzero(people.role == MEMBER)
    grown = people.born[rows] < world.figures.as_of.toordinal() - _ADULT_DAYS
    second = (people.position[rows] == 1) & dice.chance("second.earner", people.keys[rows], 0.4)
    weights = np.where(people.position[rows] == 0, 3, np.where(second, 2, 0)) * grown * ~people.bare[rows]
    # A household of children only: whoever is last has it.
    people.income[rows] = shares_of(world.households.income, weights.astype(np.int64), people.home[rows])


def bank_part(world: World) -> Ints:
    """What of the households' assets lies in bank accounts, cents: what is nowhere else."""
    return world.households.assets - securities_part(world) - insurance_part(world)


def securities_part(world: World) -> Ints:
    """Market value and cash at brokers: a third of the assets, in few households."""
    homes = world.households
    return np.where(world.dice.chance("securities", homes.keys, 0.04), homes.assets // 3, 0)


def insurance_part(world: World) -> Ints:
    """Cash values of policies in force: a quarter of the assets, in some of the households."""
    homes = world.households
    return np.where(world.dice.chance("cash.value", homes.keys, 0.07), homes.assets // 4, 0)


def _or_else(amounts: Ints, otherwise: Ints) -> Ints:
    return np.where(amounts == ABSENT, otherwise, amounts)


def _ceil(amounts: Ints, by: int) -> Ints:
    return -(-amounts // by)
