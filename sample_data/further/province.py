"""The further departments' feeds of a province, stretch by stretch."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.casting import NOBODY
from sample_data.drops import QuarantinedRow, write_receipt
from sample_data.figures import Figures
from sample_data.further import FURTHER_SOURCES
from sample_data.further.background import draw_background, people_texts
from sample_data.further.case import Teller
from sample_data.further.casting import Part
from sample_data.further.dirt import add_dirt, is_followed_by_dirt
from sample_data.further.files import BookFile, LineFile, open_file
from sample_data.world import World

_Row = tuple[int, dict[str, str], tuple[str, ...]]


class FurtherDepartments:
    """parts: by position, the case a household plays."""

    def __init__(self, folder: Path, figures: Figures, parts: dict[int, Part]) -> None:
        self._folder = folder
        self._figures = figures
        self._parts = parts
        self._files: dict[str, LineFile | BookFile] = {
            source: open_file(folder / source, source, all_contracts()[source].files[0])
            for source in FURTHER_SOURCES
        }

    def write(self, world: World) -> None:
        """Append what the departments know about the households of a stretch, in the order of households."""
        homes = world.households
        rows: dict[str, list[_Row]] = defaultdict(list)

        def add(source: str, at: int, values: dict[str, str], reasons: tuple[str, ...]) -> None:
            rows[source].append((at, values, reasons))

        playing = [row for row, at in enumerate(homes.at.tolist()) if at in self._parts]
        for row in playing:
            part = self._parts[int(homes.at[row])]
            part.case.tell(Teller(world, row, part.subject, part.tie, add))
        quiet = (homes.part == NOBODY) & ~homes.monitored & homes.active
        quiet[playing] = False
        for drawn in draw_background(world, quiet):
            rows[drawn.source] += _told(world, drawn.people, drawn.columns)
        for row in np.flatnonzero(quiet).tolist():
            at = int(homes.at[row])
            if is_followed_by_dirt(at):
                add_dirt(Teller(world, row, 0, at, add), at)
        for source, file in self._files.items():
            told = sorted(rows[source], key=lambda row: row[0])
            columns = {
                column.name: [values[column.name] for _, values, _ in told]
                for column in file.contract.columns
            }
            file.write(columns, [reasons for _, _, reasons in told])

    def close(self) -> dict[str, tuple[int, list[QuarantinedRow]]]:
        """Finish files and receipts; by source the records received and the rows to be quarantined."""
        counts = {}
        for source, file in self._files.items():
            finished = file.close()
            days = min(1, self._figures.max_age_days[source])
            snapshot = self._figures.as_of - timedelta(days=days)
            received = write_receipt(self._folder / source, source, snapshot, [finished])
            counts[source] = (received, file.quarantined)
        return counts


def _told(world: World, people: np.ndarray, columns: dict[str, list[str] | str]) -> list[_Row]:
    numbers, names = people_texts(world, people)
    said = {"id_number": numbers, "name": names} | columns
    full = [[one] * len(people) if isinstance(one, str) else one for one in said.values()]
    places = world.at(people).tolist()
    return [
        (at, dict(zip(said, values, strict=True)), ())
        for at, values in zip(places, zip(*full, strict=True), strict=True)
    ]
