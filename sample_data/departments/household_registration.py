"""公安户籍: everybody's register, relation and status; one file a city."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import Cells, Ints, days_of, digits_of, joined, kept, table_of
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.households import county_cells
from sample_data.papers import Papers, text_line
from sample_data.people import MEMBER, MOVED, NORMAL, UNREGISTERED
from sample_data.world import World

SOURCE = "household_registration"
STATUSES = ("正常", "死亡", "迁出", "注销")
_CONTRACT = all_contracts()[SOURCE].file("persons")
NEWLINE = "\r\n"
_FORMER = 99


def file_of(city: str) -> str:
    return f"persons-{city}.txt"


class HouseholdRegistration:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self._cities = list(dict.fromkeys(place.city for place in figures.places))
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        for city in self._cities:
            self.drop.open(file_of(city), _CONTRACT, NEWLINE)

    def write(self, world: World, lines: OddLines) -> None:
        people = world.people
        own = people.copy_of == np.arange(len(people))
        here = np.flatnonzero(own & (people.status != UNREGISTERED))
        # Who moved in the past has two rows: gone there, normal here.
        moved = here[
            (people.role[here] == MEMBER)
            & (people.status[here] == NORMAL)
            & world.dice.chance("moved.before", people.keys[here], 0.03)
        ]
        rows = np.r_[here, moved]
        former = np.arange(len(rows)) >= len(here)
        order = np.lexsort((former, rows))
        rows, former = rows[order], former[order]
        status = np.where(former, MOVED, people.status[rows])
        since = (
            self._figures.as_of.toordinal() - 400 - world.dice.below("moved.when", people.keys[rows], 4000)
        )
        dated = former | (status != NORMAL) | world.dice.chance("register.dated", people.keys[rows], 0.2)
        days = np.where(former | (people.status_date[rows] == 0), since, people.status_date[rows])
        register = np.where(former, _FORMER, people.register[rows])
        cells = self._cells(world, rows, register, status, kept(days_of(days, "20260609"), dated))
        cities = np.array([self._cities.index(place.city) for place in self._figures.places])
        city = cities[world.households.place[people.home[rows]]]
        for at, code in enumerate(self._cities):
            chosen = np.flatnonzero(city == at)
            name = file_of(code)
            self.drop.write(name, cells[chosen], world.at(rows[chosen]), lines.take(SOURCE, name))

    def _cells(self, world: World, rows: Ints, register: Ints, status: Ints, days: Cells) -> Cells:
        people = world.people
        keys = people.keys[rows] * np.uint64(128) + register.astype(np.uint64)
        names, styles = world.name_cells(rows, keys, "gb18030")
        return joined(
            [
                b"999",
                digits_of(world.at(rows), 9),
                digits_of(register, 3),
                b"|",
                world.number_cells(rows, keys, styles),
                b"|",
                *names,
                b"|",
                np.take(table_of(("2", "1"), "ascii"), people.male[rows].astype(np.int64), axis=0),
                b"|",
                days_of(people.born[rows], "20260609"),
                b"|",
                digits_of(people.register_relation[rows], 2),
                b"|",
                county_cells(world.households.place[people.home[rows]], self._figures),
                b"|",
                np.take(table_of(STATUSES, "gb18030"), status, axis=0),
                b"|",
                days,
                NEWLINE.encode(),
            ],
            len(rows),
        )

    def close(self) -> list[TextFile]:
        return self.drop.close()


def register_no(papers: Papers, household: int, register: int = 0) -> str:
    """The number of a household's register: 0 is the family's own."""
    return f"999{int(papers.world.households.at[household]):09d}{register:03d}"


def add_entry(
    papers: Papers,
    person: int,
    register: int,
    relation: str,
    status: str = "正常",
    /,
    *,
    reasons: Sequence[str] = (),
    **values: object,
) -> None:
    """One more entry of a person, in a register of the person's household."""
    household, row = papers.about(person)
    row |= {
        "register_no": register_no(papers, household, register),
        "relation": relation,
        "status": status,
        "place_code": "441424",
        "status_date": "" if status == STATUSES[0] else papers.day(400).isoformat(),
    } | values
    papers.add(
        SOURCE, file_of(papers.city(household)), household, text_line(_CONTRACT, row, NEWLINE), *reasons
    )
