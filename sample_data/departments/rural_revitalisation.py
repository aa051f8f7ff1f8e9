"""乡村振兴: monitored households; one workbook a county."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

import numpy as np
import xlsxwriter  # type: ignore[import-untyped]

from connectors.registry import all_contracts
from sample_data.cells import Cells
from sample_data.drops import OddLines, OddRow, QuarantinedRow
from sample_data.figures import Figures
from sample_data.households import household_cells, rural_of, township_cells
from sample_data.names import text_of_name
from sample_data.papers import Papers
from sample_data.people import CATEGORIES
from sample_data.world import World

SOURCE = "rural_revitalisation"
_CONTRACT = all_contracts()[SOURCE].file("households")
_KINDS = ("脱贫不稳定户", "边缘易致贫户", "突发严重困难户")
# A workbook says when it was made; the same province must give the same bytes.
_MADE = datetime(2026, 1, 1)


class _Workbook:
    """One county's workbook, written row by row."""

    def __init__(self, folder: Path, county: str) -> None:
        self.name = f"{county}.xlsx"
        self.path = folder / self.name
        self.rows = 0
        self._book = xlsxwriter.Workbook(str(self.path), {"constant_memory": True})
        self._book.set_properties({"created": _MADE})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._sheet = self._book.add_worksheet(_CONTRACT.sheet)
        self._sheet.write_string(0, 0, "防止返贫监测对象信息表")
        for column, one in enumerate(_CONTRACT.columns):
            self._sheet.write_string(_CONTRACT.header_row - 1, column, one.header)

    def append(self, row: list[object]) -> int:
        """Write one row; returns its number in the sheet, from 1."""
        at = _CONTRACT.header_row + self.rows
        for column, value in enumerate(row):
            if isinstance(value, date):
                self._sheet.write_datetime(at, column, value, self._day)
            elif isinstance(value, int | float):
                self._sheet.write_number(at, column, value)
            elif value != "":
                self._sheet.write_string(at, column, str(value))
        self.rows += 1
        return at + 1

    def close(self) -> None:
        self._book.close()
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()


class RuralRevitalisation:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self._folder = folder / SOURCE
        self._folder.mkdir(parents=True, exist_ok=True)
        self._books: dict[str, _Workbook] = {}
        self.quarantined: list[QuarantinedRow] = []

    def write(self, world: World, lines: OddLines) -> None:
        homes, people = world.households, world.people
        cells = household_cells(homes, self._figures)
        towns = township_cells(homes, self._figures)
        areas = _CONTRACT.column("area").values
        rural = rural_of(homes, self._figures)
        days = self._figures.as_of.toordinal() - 100 - world.dice.below("found.on", homes.keys, 900)
        for home in np.flatnonzero(homes.monitored).tolist():
            county = self._figures.places[int(homes.place[home])].county
            first = int(world.first[home])
            for person in range(first, first + int(homes.members[home])):
                head = person == first
                value = {
                    "household_id": _text(cells[home]),
                    "county_code": county,
                    "township_code": _text(towns[home]),
                    "area": areas[int(rural[home])],
                    "name": text_of_name(people.names, person),
                    "id_number": _text(people.numbers[person]),
                    "relation": f"{int(people.relation[person]):02d}",
                    "monitored_type": _KINDS[int(homes.at[home]) % len(_KINDS)],
                    "risk_eliminated": "是" if homes.eliminated[home] else "否",
                    # A number in the head's row, text in the others: both are money.
                    "declared_annual_income_per_capita": _yuan(int(homes.declared_yearly[home]), head),
                    "rigid_expenditure_12m": _yuan(int(homes.rigid_expenditure[home]), head),
                    "disability_grade": str(people.grade[person] or ""),
                    "disability_category": CATEGORIES[int(people.category[person])],
                    "severe_illness": "是" if people.ill[person] else "否",
                    "labour_ability": "部分丧失",
                    "has_obligor": "有" if homes.has_obligor[home] else "无",
                    "identified_on": date.fromordinal(int(days[home])),
                }
                self._book(county).append([value.get(column.name, "") for column in _CONTRACT.columns])
            for odd in lines.take_rows(int(homes.at[home])):
                row = self._book(odd.county).append(
                    [odd.values.get(column.name, "") for column in _CONTRACT.columns]
                )
                if odd.reasons:
                    self.quarantined.append(QuarantinedRow(SOURCE, f"{odd.county}.xlsx", row, odd.reasons))

    def _book(self, county: str) -> _Workbook:
        if county not in self._books:
            self._books[county] = _Workbook(self._folder, county)
        return self._books[county]

    def close(self) -> list[_Workbook]:
        books = [self._books[county] for county in sorted(self._books)]
        for book in books:
            book.close()
        return books


def _text(cell: Cells) -> str:
    return cell.tobytes().decode("ascii")


def _yuan(cents: int, as_number: bool) -> object:
    return cents / 100 if as_number else f"{cents // 100}.{cents % 100:02d}"


def add_monitored(papers: Papers, household: int, *reasons: str, **values: object) -> None:
    """One more row of a monitored household; values complete a right row of a child."""
    world = papers.world
    home = papers.home(household)
    row = {
        "household_id": home,
        "county_code": home[1:7],
        "township_code": _text(township_cells(world.households, world.figures)[household]),
        "area": _CONTRACT.column("area").values[int(rural_of(world.households, world.figures)[household])],
        "relation": "20",
        "risk_eliminated": "否",
        "declared_annual_income_per_capita": "1000.00",
        "rigid_expenditure_12m": "0.00",
        "severe_illness": "否",
        "has_obligor": "有",
    } | values
    papers.lines.add_row(OddRow(papers.at(household), home[1:7], row, reasons))
