"""Single lines added to departments' files by scenarios and by dirt, one household at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import orjson

from connectors.contract import FileContract
from connectors.registry import all_contracts
from sample_data.cells import Cells, texts_of
from sample_data.drops import OddLine, OddLines
from sample_data.households import household_cells
from sample_data.names import text_of_name
from sample_data.world import World

Values = Mapping[str, object]


def text_line(contract: FileContract, values: Values, newline: str = "\n") -> bytes:
    """One line of a text file from its values by column name; a column left out is empty."""
    row = [str(values.get(column.name, "")) for column in contract.columns]
    if contract.separator == "|":
        return ("|".join(row) + newline).encode(contract.encoding)
    line = io.StringIO()
    csv.writer(line, lineterminator=newline).writerow(row)
    return line.getvalue().encode(contract.encoding)


def json_line(contract: FileContract, values: Values) -> bytes:
    """One JSON object by column name; keys as the department writes them, absent ones left out."""
    row = {column.header: values[column.name] for column in contract.columns if column.name in values}
    return orjson.dumps(row)


class Papers:
    """Adds odd lines for people and households of one stretch.

    Values are given by the contract's column names and complete a right row about the person, on an account
    or entity of its own.
    """

    def __init__(self, world: World, lines: OddLines) -> None:
        self.world = world
        self.lines = lines
        self._homes = household_cells(world.households, world.figures)
        self._contracts = all_contracts()
        self._as_of = world.figures.as_of

    # What there is to say about a person.

    def number(self, person: int) -> str:
        return texts_of(self.world.people.numbers[person : person + 1])[0]

    def name(self, person: int) -> str:
        return text_of_name(self.world.people.names, person)

    def at(self, household: int) -> int:
        return int(self.world.households.at[household])

    def home(self, household: int) -> str:
        cells: Cells = self._homes[household]
        return cells.tobytes().decode("ascii")

    def day(self, days_ago: int = 0) -> date:
        return self._as_of - timedelta(days=days_ago)

    def contract(self, source: str, key: str) -> FileContract:
        return self._contracts[source].file(key)

    def city(self, household: int) -> str:
        return self.world.figures.places[int(self.world.households.place[household])].city

    def serial(self, household: int, copy: int) -> int:
        """A number for an account, entity or policy of an odd line; quiet rows do not use it."""
        return 900_000_000 + self.at(household) * 10 % 99_999_990 + copy % 10

    # Lines.

    def add(
        self, source: str, file: str, household: int, line: bytes, *reasons: str, records: int = 1
    ) -> None:
        self.lines.add(source, file, OddLine(self.at(household), line, records, reasons))

    def about(self, person: int) -> tuple[int, dict[str, object]]:
        """The person's household, and number and name as values."""
        household = int(self.world.people.home[person])
        return household, {"id_number": self.number(person), "name": self.name(person)}


def each(people: np.ndarray) -> list[int]:
    return [int(person) for person in people]
