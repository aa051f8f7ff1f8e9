"""One stretch of the province: its households and people, and what has been settled about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data.casting import Casting
from sample_data.cells import Cells, Ints, Keys, days_of
from sample_data.dice import Dice
from sample_data.figures import Figures
from sample_data.households import Households, draw_households
from sample_data.names import PLAIN, cells_of_names, draw_names, surname_count
from sample_data.numbers import births_apart, numbers_of, sequences_of
from sample_data.people import (
    CHILD,
    FIFTEEN,
    KIN,
    MEMBER,
    OBLIGOR,
    PARENT,
    SPOUSE,
    STRANGER,
    People,
    draw_people,
)

_Y2000 = 730120  # 2000-01-01 as a day number; 15-digit numbers ended with the year before


@dataclass
class Counted:
    """How many people have their numbers, over all stretches so far: ordinary ones, ones with an exact
    birthday.
    """

    common: int = 0
    exact: int = 0


@dataclass
class World:
    """Households and people of a stretch.

    first: row of each household's first person; they stand in the order members, obligors, kin, strangers.
    """

    figures: Figures
    dice: Dice
    casting: Casting
    households: Households
    people: People
    first: Ints

    def member(self, households: Ints, position: int = 0) -> Ints:
        """Rows of people: one member of each of these households."""
        return self.first[households] + position

    def obligor(self, households: Ints, position: int = 0) -> Ints:
        return self.first[households] + self.households.members[households] + position

    def kin(self, households: Ints, position: int = 0) -> Ints:
        return self.obligor(households, position) + self.households.obligors[households]

    def at(self, people: Ints) -> Ints:
        """Positions of the households these people belong to."""
        return self.households.at[self.people.home[people]]

    def name_cells(self, people: Ints, keys: Keys, encoding: str) -> tuple[list[Cells], Ints]:
        """How a department writes these people's names, row by row, and the style of each."""
        forced = self.people.style[people]
        drawn = self.dice.pick("name.style", keys, (970, 20, 6, 4))
        styles = np.where(forced >= 0, forced, drawn)
        names = self.people.names.take(people)
        return cells_of_names(names, styles, self.dice, keys, encoding), styles

    def number_cells(self, people: Ints, keys: Keys, styles: Ints) -> Cells:
        """How a department writes these people's numbers: now and then with a small x, or with 15 digits.

        Fifteen digits reach a person only with a readable name (specification, section 3), so others keep
        all 18.
        """
        cells = np.take(self.people.numbers, people, axis=0)
        small = (cells[:, 17] == ord("X")) & self.dice.chance("number.small", keys, 0.1)
        cells[small, 17] = ord("x")
        old = (
            self.dice.chance("number.fifteen", keys, 0.004)
            & (styles == PLAIN)
            & (self.people.roster_style[people] == PLAIN)
            & (self.people.born[people] < _Y2000)
        )
        rows = np.flatnonzero(old)
        for column in (6, 7, 17):
            cells[rows, column] = 0
        return cells


def draw_world(
    dice: Dice, casting: Casting, figures: Figures, start: int, stop: int, strangers: float
) -> World:
    """A stretch before anything has happened in it: no money, no numbers, no names yet."""
    households = draw_households(dice, casting, figures, start, stop, strangers)
    people = draw_people(dice, households, figures)
    total = households.members + households.obligors + households.kin + households.strangers
    return World(figures, dice, casting, households, people, np.cumsum(total) - total)


def name_everybody(world: World, counted: Counted) -> None:
    """Give people their numbers, sexes and names, and entries that repeat a person that person's."""
    people, dice = world.people, world.dice
    exact: Ints = np.cumsum(people.exact) - people.exact
    indices = np.where(people.exact, counted.exact + exact, counted.common + np.arange(len(people)) - exact)
    counted.exact += int(people.exact.sum())
    counted.common += len(people) - int(people.exact.sum())
    sequences = sequences_of(indices, people.exact)
    people.born = births_apart(people.born, indices, people.exact)
    people.numbers = numbers_of(sequences, people.born, days_of(people.born, "20260609"))
    people.male = sequences % 2 == 1
    own = dice.below("family", people.keys, surname_count())
    house = dice.below("family.house", world.households.keys, surname_count())[people.home]
    shares_name = (people.role != STRANGER) & ~np.isin(people.relation, (SPOUSE, PARENT))
    people.names = draw_names(dice, people.keys, np.where(shares_name, house, own), people.male)
    _repeat_people(people)
    for relations in (people.relation, people.register_relation):
        _say_sex(relations, people)
    _vary_roster(world)


def _repeat_people(people: People) -> None:
    copies = np.flatnonzero(people.copy_of != np.arange(len(people)))
    of = people.copy_of[copies]
    people.born[copies], people.male[copies] = people.born[of], people.male[of]
    people.numbers[copies] = people.numbers[of]
    people.names.first[copies], people.names.second[copies] = people.names.first[of], people.names.second[of]


def _say_sex(relations: Ints, people: People) -> None:
    """Husband or wife, son or daughter, father or mother (GB/T 4761), where the family was drawn without."""
    for neutral, male, female in ((SPOUSE, 11, 12), (CHILD, 20, 30), (PARENT, 51, 52)):
        rows = np.flatnonzero(relations == neutral)
        relations[rows] = np.where(people.male[rows], male, female)


def _vary_roster(world: World) -> None:
    """A few roster entries in old or unreadable writing; only where no scenario has settled it."""
    people, dice = world.people, world.dice
    known = np.isin(people.role, (MEMBER, OBLIGOR)) & (world.households.part[people.home] < 0)
    own = people.copy_of == np.arange(len(people))
    old = known & own & (people.born < _Y2000) & dice.chance("roster.fifteen", people.keys, 0.005)
    people.roster_number[old] = FIFTEEN
    drawn = dice.pick("roster.style", people.keys, (980, 10, 6, 4))
    people.roster_style = np.where(known & own, drawn, people.roster_style)


__all__ = ["KIN", "MEMBER", "OBLIGOR", "STRANGER", "Counted", "World", "draw_world", "name_everybody"]
