"""A case: what a further department knows about one household on purpose, and which leads must follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from sample_data.cells import texts_of
from sample_data.figures import DIBAO, MARGIN, Figures
from sample_data.households import household_cells
from sample_data.names import text_of_name
from sample_data.world import World

Who = Literal["household", "subject", "second"]
# Who in a quiet household can be told something about; see `casting.py`.
Kind = Literal["head", "second", "lone", "couple", "disabled", "able", "grown_child"]
ANYBODY = (DIBAO, MARGIN)


@dataclass(frozen=True)
class Case:
    """kind: what the household must have, and who of it is the subject.

    host: the scenario the household plays besides; without one it is otherwise quiet. leads: rule and whom
    it names, added to the host's, or, with `replaces`, instead of them. homes: how many households one
    playing takes; they are told with the same `tie`. since: the first as-of date it holds on. because: rules
    that must be turned on.
    """

    name: str
    text: str
    leads: tuple[tuple[str, Who], ...]
    tell: Callable[[Teller], None]
    kind: Kind = "head"
    programmes: tuple[int, ...] = ANYBODY
    host: str = ""
    replaces: bool = False
    homes: int = 1
    since: date = date.min
    because: tuple[str, ...] = ()

    def under(self, figures: Figures) -> Case | None:
        """The case as the policy of the day judges it: without leads of rules nobody has turned on, or not at all."""
        if figures.as_of < self.since or figures.rules_off & set(self.because):
            return None
        return replace(self, leads=tuple(lead for lead in self.leads if lead[0] not in figures.rules_off))

    @property
    def planted(self) -> bool:
        return bool(self.leads) or self.replaces


@dataclass
class Catalogue:
    """Cases in the order they are cast: the first ones are played in the smallest province."""

    cases: dict[str, Case] = field(default_factory=dict)

    def case(
        self, name: str, text: str, *leads: tuple[str, Who], **wanted: Any
    ) -> Callable[[Callable[[Teller], None]], Callable[[Teller], None]]:
        """Add the decorated function as what is told in a case."""

        def add(tell: Callable[[Teller], None]) -> Callable[[Teller], None]:
            if name in self.cases:
                raise ValueError(f"case {name!r} stands twice; want another name")
            self.cases[name] = Case(name, text, leads, tell, **wanted)
            return tell

        return add


class Teller:
    """Adds rows about one household to the further feeds; values are texts by the contract's column names."""

    def __init__(self, world: World, row: int, subject: int, tie: int, add: Callable[..., None]) -> None:
        self.world = world
        self.row = row
        self.subject = subject
        self.tie = tie
        self.add = add

    def through(self, add: Callable[..., None]) -> Teller:
        """The same household; its rows go through `add`."""
        return Teller(self.world, self.row, self.subject, self.tie, add)

    # Who and where.

    @property
    def figures(self) -> Figures:
        return self.world.figures

    @property
    def members(self) -> int:
        return int(self.world.households.members[self.row])

    @property
    def home(self) -> str:
        cells = household_cells(self.world.households, self.figures)
        return texts_of(cells[self.row : self.row + 1])[0]

    def member(self, position: int) -> int:
        """Row of a person."""
        return int(self.world.first[self.row]) + position

    def obligor(self) -> int:
        return self.member(self.members)

    # When and how much.

    def day(self, days_ago: int = 0) -> str:
        """A date; negative: days ahead."""
        return (self.figures.as_of - timedelta(days=days_ago)).isoformat()

    def month(self, months_ago: int = 1) -> str:
        """A month before the one of as-of."""
        return self.figures.month(months_ago)

    def cents(self, key: str, members: int = 1, times: int = 1) -> int:
        """The largest total of cents that is not over a line of the figures."""
        place = self.world.households.place[self.row : self.row + 1]
        return int(self.figures.cents(key, place, np.array([members]), times)[0])

    def serial(self, copy: int = 0) -> str:
        """A number of an account, certificate or vehicle; `background.py` uses no such number."""
        return f"0000{9_000_000_000 + self.tie * 10 + copy:012d}"

    # Rows.

    def tell(
        self, source: str, values: dict[str, str], person: int | None = None, reasons: tuple[str, ...] = ()
    ) -> None:
        """A row about a person, the subject when None."""
        who = self.member(self.subject) if person is None else person
        people = self.world.people
        said = {
            "id_number": texts_of(people.numbers[who : who + 1])[0],
            "name": text_of_name(people.names, who),
        }
        self.add(source, int(self.world.households.at[self.row]), said | values, reasons)


def yuan(cents: int) -> str:
    """Cents as yuan with two decimals."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
