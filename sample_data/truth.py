"""What must come of a sample province: written beside its feeds, for tests and for people who try it out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from sample_data.casting import NOBODY, Casting
from sample_data.cells import Cells, joined, squeezed, table_of, texts_of
from sample_data.departments.roster import listed_numbers
from sample_data.drops import QuarantinedRow
from sample_data.further.case import Case
from sample_data.further.casting import Part
from sample_data.households import Households, household_cells
from sample_data.scenario import Lead, household, member
from sample_data.world import World

_HEADERS = {
    "leads.csv": ("list", "rule", "household_id", "id_number", "state", "scenario"),
    "quiet_households.csv": ("list", "household_id", "near_miss"),
    "withheld.csv": ("household_id", "scenario"),
}


@dataclass
class Truth:
    """Writes truth/ stretch by stretch. parts: cases of the further departments by position. leads and quiet count
    what has been written.
    """

    folder: Path
    casting: Casting
    parts: dict[int, Part] = field(default_factory=dict)
    leads: int = 0
    quiet: int = 0
    played: dict[str, int] = field(default_factory=dict)
    _files: dict[str, TextIO] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        for name, header in _HEADERS.items():
            self._files[name] = (self.folder / name).open("w", encoding="utf-8", newline="")
            self._write(name, [header])

    def write(self, world: World) -> None:
        """The leads of a stretch's households, and those that must have none."""
        homes = world.households
        cells = household_cells(homes, world.figures)
        leads: list[tuple[int, tuple[str, ...]]] = []
        withheld: list[tuple[int, tuple[str, ...]]] = []
        for at in np.unique(homes.part[homes.part != NOBODY]).tolist():
            scenario = self.casting.scenarios[at]
            rows = np.flatnonzero(homes.part == at)
            numbers = texts_of(cells[rows])
            self.played[scenario.name] = self.played.get(scenario.name, 0) + len(rows)
            for lead in scenario.leads:
                people = self._people(world, lead, rows)
                leads += [
                    (row, (lead.list_name, lead.rule, number, person, "new", scenario.name))
                    for row, number, person in zip(rows.tolist(), numbers, people, strict=True)
                    if not self._is_replaced(int(homes.at[row]))
                ]
            if scenario.withheld:
                withheld += [
                    (row, (number, scenario.name)) for row, number in zip(rows.tolist(), numbers, strict=True)
                ]
        leads += self._case_leads(world, cells)
        # By household, so that it does not matter how many are drawn at a time.
        self._write("leads.csv", [lead for _, lead in sorted(leads)])
        self._write("withheld.csv", [one for _, one in sorted(withheld)])
        self.leads += len(leads)
        self._write_quiet(homes, cells)

    def _write_quiet(self, homes: Households, cells: Cells) -> None:
        planted = np.array([one.planted for one in self.casting.scenarios] + [False])[homes.part]
        parts = [self.parts.get(at) for at in homes.at.tolist()]
        planted |= np.array([part is not None and part.case.planted for part in parts], np.bool_)
        quiet = np.flatnonzero(~planted)
        self.quiet += len(quiet)
        lists = table_of(("discrepancies", "newly_eligible"), "ascii")
        cases = sorted({part.case.name for part in parts if part is not None})
        names = table_of([*(one.name for one in self.casting.scenarios), *cases, ""], "ascii")
        misses = homes.part.copy()
        for at, part in enumerate(parts):
            if part is not None and misses[at] == NOBODY:
                misses[at] = len(self.casting.scenarios) + cases.index(part.case.name)
        row: list[Cells | bytes] = [
            np.take(lists, homes.monitored[quiet].astype(np.int64), axis=0),
            b",",
            cells[quiet],
            b",",
            np.take(names, misses[quiet], axis=0, mode="wrap"),
            b"\n",
        ]
        self._files["quiet_households.csv"].write(squeezed(joined(row, len(quiet))).decode("ascii"))

    def _is_replaced(self, at: int) -> bool:
        return at in self.parts and self.parts[at].case.replaces

    def _case_leads(self, world: World, cells: Cells) -> list[tuple[int, tuple[str, ...]]]:
        leads: list[tuple[int, tuple[str, ...]]] = []
        for row, at in enumerate(world.households.at.tolist()):
            part = self.parts.get(at)
            if part is None:
                continue
            case, number = part.case, texts_of(cells[row : row + 1])[0]
            self.played[case.name] = self.played.get(case.name, 0) + 1
            for rule, who in case.leads:
                place = 1 if who == "second" else part.subject
                lead = household(rule) if who == "household" else member(place, rule)
                person = self._people(world, lead, np.array([row]))[0]
                leads.append((row, (lead.list_name, rule, number, person, "new", case.name)))
        return leads

    def _people(self, world: World, lead: Lead, rows: np.ndarray) -> list[str]:
        """Numbers as the roster has them, with the right check character; empty for the household."""
        if lead.who == "household":
            return [""] * len(rows)
        of = world.member if lead.who == "member" else world.obligor
        return texts_of(listed_numbers(world, of(rows, lead.position)))

    def close(self, quarantined: Iterable[QuarantinedRow], counts: Mapping[str, tuple[int, int]]) -> None:
        """Add the quarantined rows, the sources' counts (received, quarantined) and the scenarios'
        descriptions.
        """
        for file in self._files.values():
            file.close()
        rows = sorted((one.source, one.file, one.line, ";".join(one.reasons)) for one in quarantined)
        self._whole("quarantine.csv", ("source", "file", "line", "reasons"), rows)
        sums = [(source, received, received - bad, bad) for source, (received, bad) in counts.items()]
        self._whole("sources.csv", ("source", "received", "accepted", "quarantined"), sums)
        described = [
            (
                one.name,
                one.group,
                "planted" if one.planted else "near_miss",
                self.played.get(one.name, 0),
                ";".join(f"{lead.rule} {lead.who} {lead.position}" for lead in one.leads),
                one.text,
            )
            for one in self.casting.scenarios
        ] + [
            (
                one.name,
                one.host or "further",
                "planted" if one.planted else "near_miss",
                self.played[one.name],
                ";".join(f"{rule} {who}" for rule, who in one.leads),
                one.text,
            )
            for one in _cases_of(self.parts)
        ]
        header = ("scenario", "group", "kind", "households", "leads", "text")
        self._whole("scenarios.csv", header, described)

    def _write(self, name: str, rows: Iterable[Iterable[object]]) -> None:
        csv.writer(self._files[name], lineterminator="\n").writerows(rows)

    def _whole(self, name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _cases_of(parts: Mapping[int, Part]) -> list[Case]:
    """The cases somebody plays, by name."""
    return sorted({part.case.name: part.case for part in parts.values()}.values(), key=lambda case: case.name)
