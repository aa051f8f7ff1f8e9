"""Draw a province and write what every department would deliver about it."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from sample_data.casting import Casting, cast_scenarios
from sample_data.departments import (
    banks,
    household_registration,
    insurance,
    market_regulation,
    roster,
    rural_revitalisation,
    securities,
    tax,
)
from sample_data.dice import Dice
from sample_data.dirt import add_dirt, scatter_dirt
from sample_data.drops import Finished, OddLines, QuarantinedRow, write_receipt
from sample_data.figures import SOURCES, Figures, read_figures
from sample_data.finances import settle_quietly, share_out_incomes
from sample_data.further import FURTHER_SOURCES
from sample_data.further.cases import catalogue as further_cases
from sample_data.further.casting import Part, cast_cases
from sample_data.further.province import FurtherDepartments
from sample_data.papers import Papers
from sample_data.policy_files import SHIPPED
from sample_data.scenarios import all_scenarios
from sample_data.stage import Cast
from sample_data.truth import Truth
from sample_data.world import Counted, World, draw_world, name_everybody

AS_OF = date(2026, 6, 30)
STRANGERS = 0.3
Departments = Literal["card", "all"]
# Positions drawn at a time; it bounds the memory and changes no byte. Even, because neighbours may share a
# scenario.
_STRETCH = 4096
# A county has so many households at least, so that its lists are worth reading in small provinces too.
_HOUSEHOLDS_A_COUNTY = 60
_LEAST_COUNTIES = 4
# Everybody around a household is told apart by ten bits; the largest households know fewer than 16 people.
_MOST_STRANGERS = 60
_README = Path(__file__).parent / "province_readme.md"
# Days before as-of the departments took their snapshots.
_SNAPSHOT_DAYS = {"roster": 0, "household_registration": 3, "rural_revitalisation": 30}


class Department(Protocol):
    def write(self, world: World, lines: OddLines) -> None: ...


def write_province(
    output: Path,
    households: int = 400,
    seed: int = 1,
    as_of: date = AS_OF,
    strangers: float = STRANGERS,
    *,
    policy: Path = SHIPPED,
    departments: Departments = "card",
    stretch: int = _STRETCH,
) -> dict[str, object]:
    """Write a folder of feeds (specification, section 2), truth/ and README.md into `output`.

    households: on the roster; monitored ones come on top. strangers: people the population-wide feeds know
    for every known person. policy: file or folder whose figures the planted cases are measured by, the
    shipped one when left out. departments: `card` for the sources of the specification, `all` for the further
    ones too, which change no byte of the others' files. The same arguments give the same bytes; `stretch`,
    households drawn at a time, only bounds the memory. Returns counts: by source received and quarantined
    rows, leads, quiet households, people, rows. Raises FileExistsError when `output` holds anything but an
    earlier sample, ValueError for sizes that cannot be drawn.
    """
    if households < 1 or not 0 <= strangers <= _MOST_STRANGERS or stretch < 2 or stretch % 2:
        raise ValueError(
            f"found {households} households, {strangers} strangers, stretch {stretch}; "
            f"want at least one household, 0 to {_MOST_STRANGERS} strangers and an even stretch"
        )
    _make_room(output)
    counties = max(_LEAST_COUNTIES, households // _HOUSEHOLDS_A_COUNTY)
    figures = read_figures(as_of, policy).in_counties(counties)
    return _Province(output, figures, households, seed, strangers, departments, stretch).write(stretch)


def _make_room(output: Path) -> None:
    """Remove an earlier sample, and nothing else."""
    output.mkdir(parents=True, exist_ok=True)
    if not any(output.iterdir()):
        return
    if not (output / "truth" / "scenarios.csv").is_file():
        raise FileExistsError(f"{output} is not empty and holds no earlier sample; name an empty folder")
    for name in ("truth", *SOURCES, *FURTHER_SOURCES):
        shutil.rmtree(output / name, ignore_errors=True)
    (output / "README.md").unlink(missing_ok=True)


class _Province:
    """The departments' open files, and what has been counted so far."""

    def __init__(
        self,
        output: Path,
        figures: Figures,
        households: int,
        seed: int,
        strangers: float,
        departments: Departments,
        stretch: int,
    ) -> None:
        self._output = output
        self._figures = figures
        self._strangers = strangers
        self._dice = Dice(seed)
        self._casting: Casting = cast_scenarios(all_scenarios(), figures, households, seed)
        self._dirty = scatter_dirt(figures, self._casting, strangers, seed)
        self._further: FurtherDepartments | None = None
        parts: dict[int, Part] = {}
        if departments == "all":
            parts = cast_cases(further_cases.cases, self._casting, figures, self._dice, seed, stretch)
            self._further = FurtherDepartments(output, figures, parts)
        self._truth = Truth(output / "truth", self._casting, parts)
        self._counted = Counted()
        self._roster = roster.Roster(output, figures)
        self._tax = tax.Tax(output, figures)
        self._market = market_regulation.MarketRegulation(output, figures)
        self._banks = banks.Banks(output, figures)
        self._securities = securities.Securities(output, figures)
        self._insurance = insurance.Insurance(output, figures)
        self._registration = household_registration.HouseholdRegistration(output, figures)
        self._rural = rural_revitalisation.RuralRevitalisation(output, figures)
        self._departments: tuple[Department, ...] = (
            self._roster,
            self._tax,
            self._market,
            self._banks,
            self._securities,
            self._insurance,
            self._registration,
            self._rural,
        )

    def write(self, stretch: int) -> dict[str, object]:
        for start in range(0, len(self._casting), stretch):
            self._write_stretch(start, min(start + stretch, len(self._casting)))
        return self._close()

    def _write_stretch(self, start: int, stop: int) -> None:
        world = draw_world(self._dice, self._casting, self._figures, start, stop, self._strangers)
        settle_quietly(world)
        casts = [
            Cast(world, self._casting.scenarios[part], np.flatnonzero(world.households.part == part))
            for part in np.unique(world.households.part[world.households.part >= 0]).tolist()
        ]
        for cast in casts:
            cast.scenario.stage(cast)
        share_out_incomes(world)
        name_everybody(world, self._counted)
        lines = OddLines()
        papers = Papers(world, lines)
        for cast in casts:
            if cast.scenario.papers is not None:
                cast.scenario.papers(cast, papers)
        add_dirt(papers, self._dirty[start:stop])
        for department in self._departments:
            department.write(world, lines)
        if lines.left():
            raise AssertionError(f"odd lines for files nobody writes: {lines.left()}")
        if self._further is not None:
            self._further.write(world)
        self._truth.write(world)

    def _close(self) -> dict[str, object]:
        finished: dict[str, list[Finished]] = {
            "roster": [*self._roster.close()],
            "tax": [*self._tax.close()],
            "market_regulation": [*self._market.close()],
            "banks": [*self._banks.close()],
            "securities": [*self._securities.close()],
            "insurance": [*self._insurance.close()],
            "household_registration": [*self._registration.close()],
            "rural_revitalisation": [*self._rural.close()],
        }
        drops = (
            self._roster,
            self._tax,
            self._market,
            self._banks,
            self._securities,
            self._insurance,
            self._registration,
        )
        bad: list[QuarantinedRow] = [
            row for one in drops for row in one.drop.quarantined
        ] + self._rural.quarantined
        counts = {}
        for source, files in finished.items():
            covers = (self._tax.months[0], self._tax.months[-1]) if source == "tax" else None
            received = write_receipt(self._output / source, source, self._snapshot(source), files, covers)
            counts[source] = (received, sum(row.source == source for row in bad))
        if self._further is not None:
            for source, (received, wrong) in self._further.close().items():
                counts[source] = (received, len(wrong))
                bad += wrong
        self._truth.close(bad, counts)
        (self._output / "README.md").write_bytes(_README.read_bytes())
        return {
            "sources": {
                source: {"received": got, "quarantined": wrong} for source, (got, wrong) in counts.items()
            },
            "rows": sum(got for got, _ in counts.values()),
            "people": self._counted.common + self._counted.exact,
            "leads": self._truth.leads,
            "quiet_households": self._truth.quiet,
        }

    def _snapshot(self, source: str) -> date:
        days = min(_SNAPSHOT_DAYS.get(source, 1), self._figures.max_age_days[source])
        return self._figures.as_of - timedelta(days=days)
