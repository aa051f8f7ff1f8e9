"""民政名册: the households that receive, their members and obligors, and what these have signed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import Cells, Ints, days_of, digits_of, joined, kept, money_of, table_of
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.households import household_cells, rural_of, township_cells
from sample_data.names import cells_of_names
from sample_data.numbers import mistyped, shortened
from sample_data.papers import Papers, text_line
from sample_data.people import (
    CATEGORIES,
    EXPIRED,
    FIFTEEN,
    FIRST_DAY,
    LAST_DAY,
    MEMBER,
    NOT_SECURITIES,
    NOT_YET,
    OBLIGOR,
    SIGNED_EACH,
    SIGNED_TWICE,
    SUSPECT,
    TAX_ONLY,
    UNSIGNED,
)
from sample_data.world import World

SOURCE = "roster"
HOUSEHOLDS, MEMBERS, AUTHORISATIONS = "households.csv", "members.csv", "authorisations.csv"
_CONTRACT = all_contracts()[SOURCE]
_FIVE = ("tax", "market_regulation", "banks", "securities", "insurance")
_SCOPES = (
    "*",
    ";".join(_FIVE),
    "tax;banks",
    "market_regulation;securities;insurance",
    "tax",
    ";".join(one for one in _FIVE if one != "securities"),
)
_ALL, _EACH, _SOME, _OTHERS, _TAX, _BUT_SECURITIES = range(len(_SCOPES))
_TWICE = np.uint64(1)


class Roster:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        self.drop.open(HOUSEHOLDS, _CONTRACT.file("households"))
        self.drop.open(MEMBERS, _CONTRACT.file("members"), mark=True)
        self.drop.open(AUTHORISATIONS, _CONTRACT.file("authorisations"), "\r\n")

    def write(self, world: World, lines: OddLines) -> None:
        homes = world.households
        cells = household_cells(homes, self._figures)
        roster = np.flatnonzero(~homes.monitored)
        at = homes.at[roster]
        self.drop.write(
            HOUSEHOLDS, self._household_lines(world, cells)[roster], at, lines.take(SOURCE, HOUSEHOLDS)
        )
        people = world.people
        listed = np.isin(people.role, (MEMBER, OBLIGOR))
        entries = np.flatnonzero(listed & ~homes.monitored[people.home])
        self.drop.write(
            MEMBERS, self._member_lines(world, cells, entries), world.at(entries), lines.take(SOURCE, MEMBERS)
        )
        own = people.copy_of == np.arange(len(people))
        signers = np.flatnonzero(listed & own & (people.signed != UNSIGNED))
        self._write_authorisations(world, lines, signers)

    def _household_lines(self, world: World, cells: Cells) -> Cells:
        homes, dice, figures = world.households, world.dice, self._figures
        programmes = _CONTRACT.file("households").column("programme").values
        areas = _CONTRACT.file("households").column("area").values
        recognised = figures.as_of.toordinal() - 60 - dice.below("recognised", homes.keys, 2000)
        amount = 300_00 + dice.below("amount", homes.keys, 2_000_00)
        return joined(
            [
                cells,
                b",",
                np.take(table_of(programmes, "utf-8"), homes.programme, axis=0),
                b",",
                digits_of(np.array([int(place.county) for place in figures.places])[homes.place], 6),
                b",",
                township_cells(homes, figures),
                b",",
                np.take(table_of(areas, "utf-8"), rural_of(homes, figures).astype(np.int64), axis=0),
                b",",
                days_of(recognised),
                b",",
                money_of(amount),
                b",",
                money_of(homes.declared_income),
                b",",
                money_of(homes.declared_assets),
                b",",
                money_of(homes.rigid_expenditure),
                b",",
                np.take(table_of(("停保", "在保"), "utf-8"), homes.active.astype(np.int64), axis=0),
                b"\n",
            ],
            len(homes),
        )

    def _member_lines(self, world: World, cells: Cells, entries: Ints) -> Cells:
        people = world.people
        labour = np.where(people.born[entries] < self._figures.as_of.toordinal() - 60 * 365, 0, 1)
        return joined(
            [
                cells[people.home[entries]],
                b",",
                _written_numbers(world, entries),
                b",",
                *cells_of_names(
                    people.names.take(entries),
                    people.roster_style[entries],
                    world.dice,
                    people.keys[entries],
                    "utf-8",
                ),
                b",",
                np.take(table_of(("成员", "法定义务人"), "utf-8"), people.role[entries], axis=0),
                b",",
                digits_of(people.relation[entries], 2),
                b",",
                np.take(table_of(("", "1", "2", "3", "4"), "utf-8"), people.grade[entries], axis=0),
                b",",
                np.take(table_of(CATEGORIES, "utf-8"), people.category[entries], axis=0),
                b",",
                np.take(table_of(("否", "是"), "utf-8"), people.ill[entries].astype(np.int64), axis=0),
                b",",
                np.take(table_of(("丧失", "部分丧失"), "utf-8"), labour, axis=0),
                b"\n",
            ],
            len(entries),
        )

    def _write_authorisations(self, world: World, lines: OddLines, signers: Ints) -> None:
        """One paper each; two where one covers some sources and another the rest."""
        people, dice = world.people, world.dice
        how = people.signed[signers]
        papers = np.repeat(np.arange(len(signers)), np.where(how == SIGNED_TWICE, 2, 1))
        second = np.r_[False, papers[1:] == papers[:-1]]
        signers, how = signers[papers], how[papers]
        scope = np.select(
            [how == SIGNED_EACH, how == SIGNED_TWICE, how == TAX_ONLY, how == NOT_SECURITIES],
            [
                np.full(len(how), _EACH),
                np.where(second, _OTHERS, _SOME),
                np.full(len(how), _TAX),
                np.full(len(how), _BUT_SECURITIES),
            ],
            _ALL,
        )
        today = self._figures.as_of.toordinal()
        keys = people.keys[signers]
        signed = today - 30 - dice.below("signed.on", keys, 1500)
        signed = np.select([how == FIRST_DAY, how == NOT_YET], [today, today + 1], signed)
        ends = dice.chance("signed.ends", keys, 0.3) | np.isin(how, (LAST_DAY, EXPIRED))
        until = today + 1 + dice.below("signed.until", keys, 900)
        until = np.select([how == LAST_DAY, how == EXPIRED], [today, today - 1], until)
        cells = joined(
            [
                b"SQ",
                digits_of((keys << _TWICE | second.astype(np.uint64)).astype(np.int64), 13),
                b",",
                _written_numbers(world, signers),
                b",",
                days_of(signed),
                b",",
                kept(days_of(until), ends),
                b",",
                np.take(table_of(_SCOPES, "utf-8"), scope, axis=0),
                b"\r\n",
            ],
            len(signers),
        )
        self.drop.write(AUTHORISATIONS, cells, world.at(signers), lines.take(SOURCE, AUTHORISATIONS))

    def close(self) -> list[TextFile]:
        return self.drop.close()


def listed_numbers(world: World, entries: Ints) -> Cells:
    """These people's numbers in 18 characters as the roster knows them: the wrong ones scenarios want among
    them.
    """
    people = world.people
    cells = people.numbers[entries]
    for row in np.flatnonzero(people.roster_number[entries] == SUSPECT).tolist():
        wrong = mistyped(
            people.numbers[entries[row]].tobytes().decode(), int(people.keys[entries[row]] % np.uint64(9))
        )
        cells[row] = np.frombuffer(wrong.encode(), np.uint8)
    return cells


def _written_numbers(world: World, entries: Ints) -> Cells:
    """As they stand in the files: a few in the old form of 15 digits."""
    return shortened(listed_numbers(world, entries), world.people.roster_number[entries] == FIFTEEN)


def add_member(papers: Papers, household: int, *reasons: str, **values: object) -> None:
    """One more row of members.csv; values complete a right row of a child, reasons say why it is
    quarantined.
    """
    row = {
        "household_id": papers.home(household),
        "role": "成员",
        "relation": "20",
        "severe_illness": "否",
    } | values
    line = text_line(_CONTRACT.file("members"), row)
    papers.add(SOURCE, MEMBERS, household, line, *reasons)
