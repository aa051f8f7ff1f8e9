"""The households that play one scenario, and what a scenario may do with them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from sample_data.cells import Floats, Ints
from sample_data.figures import Figures
from sample_data.people import CATEGORIES, MEMBER, UNREGISTERED, make_mild
from sample_data.scenario import Scenario
from sample_data.world import World


class Cast:
    """A view on a world: rows of the households that play the scenario, all columns at once."""

    def __init__(self, world: World, scenario: Scenario, rows: Ints) -> None:
        self.world = world
        self.scenario = scenario
        self.rows = rows

    @property
    def figures(self) -> Figures:
        return self.world.figures

    @property
    def members(self) -> Ints:
        return self.world.households.members[self.rows]

    def member(self, position: int = 0) -> Ints:
        """Rows of people."""
        return self.world.member(self.rows, position)

    def obligor(self, position: int = 0) -> Ints:
        return self.world.obligor(self.rows, position)

    def kin(self, position: int = 0) -> Ints:
        return self.world.kin(self.rows, position)

    def share(self, question: str) -> Floats:
        """A number from 0 up to 1 for each household."""
        return self.world.dice.share(
            f"{self.scenario.name}.{question}", self.world.households.keys[self.rows]
        )

    # Lines, as totals of cents of the household: the largest one not over, or below.

    def not_over(self, key: str, times: int = 1, plus: Fraction = Fraction(0)) -> Ints:
        return self.figures.cents(key, self.world.households.place[self.rows], self.members, times, plus)

    def below(self, key: str, times: int = 1) -> Ints:
        return self.figures.cents(
            key, self.world.households.place[self.rows], self.members, times, below=True
        )

    def below_each(self, key: str, times: int = 1) -> Ints:
        """As `below`, for one person."""
        one = np.ones(len(self.rows), np.int64)
        return self.figures.cents(key, self.world.households.place[self.rows], one, times, below=True)

    def not_over_each(self, key: str, times: int = 1) -> Ints:
        one = np.ones(len(self.rows), np.int64)
        return self.figures.cents(key, self.world.households.place[self.rows], one, times)

    # Money, in cents.

    def earn(self, total: Ints | int) -> None:
        """The members' countable income over the window, told truthfully (rounded up to the month's cent)."""
        homes = self.world.households
        homes.income[self.rows] = total
        homes.declared_income[self.rows] = -(-homes.income[self.rows] // self.figures.window)

    def tell_income(self, monthly: Ints | int) -> None:
        self.world.households.declared_income[self.rows] = monthly

    def tell_yearly(self, per_person: Ints | int) -> None:
        """Declared income of a monitored household, per person and year."""
        self.world.households.declared_yearly[self.rows] = per_person

    def own(self, total: Ints | int) -> None:
        """What accounts and policies are worth, told truthfully."""
        self.world.households.assets[self.rows] = total
        self.world.households.declared_assets[self.rows] = total

    def tell_assets(self, total: Ints | int) -> None:
        self.world.households.declared_assets[self.rows] = total

    def insure(self, yearly: Ints | int) -> None:
        self.world.households.premium[self.rows] = yearly

    def spend(self, total: Ints | int) -> None:
        """Rigid expenditure of the last twelve months."""
        self.world.households.rigid_expenditure[self.rows] = total

    def need(self, income_yearly: Ints) -> Ints:
        """The least rigid expenditure that reaches the share of the household's yearly income."""
        share = self.figures.rigid_share
        return -(-income_yearly * share.numerator // share.denominator)

    # People.

    def hurt(self, people: Ints, grade: int = 0, category: str = "", ill: bool = False) -> None:
        columns = self.world.people
        columns.grade[people], columns.category[people] = grade, CATEGORIES.index(category)
        columns.ill[people] = ill

    def everybody_well(self) -> None:
        """No member disabled or ill."""
        people = self.world.people
        make_mild(people, np.isin(people.home, self.rows) & (people.role == MEMBER))

    def age(self, people: Ints, years: int, days: int = 0) -> None:
        """Born exactly so many years and days before as-of: with days 0 it is the birthday."""
        as_of = self.figures.as_of
        february = (as_of.month, as_of.day) == (2, 29)
        born = as_of.replace(year=as_of.year - years, day=28 if february else as_of.day)
        self.world.people.born[people] = born.toordinal() - days
        self.world.people.exact[people] = True

    def sign(self, people: Ints, how: int) -> None:
        self.world.people.signed[people] = how

    def everybody_signs(self, how: int) -> None:
        people = self.world.people
        people.signed[np.isin(people.home, self.rows) & (people.role == MEMBER)] = how

    def registered(self, people: Ints, status: int, days_ago: int = 0) -> None:
        columns = self.world.people
        columns.status[people] = status
        columns.status_date[people] = self.figures.as_of.toordinal() - days_ago if status else 0

    def unregistered(self, people: Ints) -> None:
        self.world.people.status[people] = UNREGISTERED

    def write_names(self, people: Ints, style: int) -> None:
        """How every department writes these people's names."""
        self.world.people.style[people] = style
