"""What the policy of a day says about the places of the province, as whole cents ready for whole columns.

The rules compare exact totals with line × members. Here a line becomes two whole numbers of cents: the
largest total that is not over it, and the largest that is below it; one cent more is the other side of the
edge.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from sample_data.cells import Floats, Ints
from sample_data.further import FURTHER_SOURCES
from sample_data.policy_files import SHIPPED, PolicyFiles

DIBAO, TEKUN, MARGIN, RIGID = range(4)
PROGRAMME_CODES = ("dibao", "tekun", "dibao_margin", "rigid_expenditure")
AREAS = ("urban", "rural")
MOST_MEMBERS = 12
ABSENT = -1
# What every province has feeds of; those of sample_data/further are added when they are asked for.
SOURCES = (
    "roster",
    "tax",
    "market_regulation",
    "banks",
    "securities",
    "insurance",
    "household_registration",
    "rural_revitalisation",
)
_PLACES = Path(__file__).parent / "places.toml"


@dataclass(frozen=True)
class Place:
    """A county and area households live in. weight: how often it is drawn."""

    county: str
    city: str
    area: str
    weight: float


@dataclass(frozen=True)
class Line:
    """Yuan per person by place, None where the policy does not judge; a rule's own factor is in it."""

    key: str
    yuan: tuple[Fraction | None, ...]

    @property
    def known(self) -> bool:
        return all(one is not None for one in self.yuan)


@dataclass(frozen=True)
class Figures:
    """One day's policy for the sample's places.

    lines: by key `check:<programme>`, `entry:<programme>` (yuan per person and month), `limit:<programme>`
    (yuan per person), `standard`, `premium` (yuan per person a year), `obligor` (yuan a month). Tolerances
    and threshold in yuan. rules_off: codes of the rules that some county has not turned on.
    """

    as_of: date
    places: tuple[Place, ...]
    lines: dict[str, Line]
    window: int
    countable: tuple[str, ...]
    asset_products: tuple[str, ...]
    income_tolerance: Fraction
    undeclared_income: Fraction
    undeclared_assets: Fraction
    capital_threshold: Fraction
    rigid_share: Fraction
    severe_grades: frozenset[int]
    severe_grades_mind: frozenset[int]
    tekun_disability: dict[str, int]
    register_most: int
    evidence_days: int
    quarantined_share: float
    fx: dict[str, Fraction]
    max_age_days: dict[str, int]
    rules_off: frozenset[str]
    _tables: dict[tuple[str, Fraction, Fraction, bool], Ints] = field(default_factory=dict, repr=False)

    def month(self, months_ago: int) -> str:
        """A month before the one of as-of, as 2026-05; negative: after it."""
        months = self.as_of.year * 12 + self.as_of.month - 1 - months_ago
        return f"{months // 12}-{months % 12 + 1:02d}"

    def knows(self, key: str) -> bool:
        """Whether the policy has this line for every place."""
        return key in self.lines and self.lines[key].known

    def cents(
        self,
        key: str,
        place: Ints,
        members: Ints,
        times: int = 1,
        plus: Fraction = Fraction(0),
        below: bool = False,
    ) -> Ints:
        """The largest total in cents that is not over (`below`: that is below) (line + plus) × members ×
        times.

        place, members: (rows,). ABSENT where the policy does not judge.
        """
        wanted = (key, Fraction(times), plus, below)
        if wanted not in self._tables:
            line = self.lines.get(key, Line(key, (None,) * len(self.places)))
            edges = {yuan: _edges(yuan, plus, times, below) for yuan in set(line.yuan)}
            self._tables[wanted] = np.array([edges[yuan] for yuan in line.yuan])
        result: Ints = self._tables[wanted][place, members]
        return result

    def in_counties(self, most: int) -> Figures:
        """The same figures for so many counties at most: the first of each city in turn, then the second."""
        cities = list(dict.fromkeys(place.city for place in self.places))
        ranks = {
            city: list(dict.fromkeys(p.county for p in self.places if p.city == city)) for city in cities
        }
        deepest = max(map(len, ranks.values()))
        turns = [ranks[city][turn] for turn in range(deepest) for city in cities if turn < len(ranks[city])]
        kept = [at for at, place in enumerate(self.places) if place.county in turns[:most]]
        return replace(
            self,
            places=tuple(self.places[at] for at in kept),
            lines={key: Line(key, tuple(line.yuan[at] for at in kept)) for key, line in self.lines.items()},
            _tables={},
        )

    def weights(self) -> Floats:
        return np.array([place.weight for place in self.places])


def _edges(yuan: Fraction | None, plus: Fraction, times: int, below: bool) -> list[int]:
    if yuan is None:
        return [ABSENT] * (MOST_MEMBERS + 1)
    cents, parts = ((yuan + plus) * times * 100).as_integer_ratio()
    totals = [cents * count for count in range(MOST_MEMBERS + 1)]
    return [-(-total // parts) - 1 if below else total // parts for total in totals]


def read_figures(as_of: date, policy: Path = SHIPPED) -> Figures:
    """A policy's figures on a day, for those places of places.toml it has a Dibao standard for."""
    files = PolicyFiles(policy, as_of)
    places = _places(files)
    return Figures(
        as_of=as_of,
        places=places,
        lines=_lines(files, places),
        window=int(files.value("income_window_months")),
        countable=tuple(files.value("countable_income_items")),
        asset_products=tuple(files.value("asset_products")),
        income_tolerance=Fraction(files.value("income_tolerance")),
        undeclared_income=Fraction(files.value("undeclared_income_tolerance")),
        undeclared_assets=Fraction(files.value("undeclared_assets_tolerance")),
        capital_threshold=Fraction(files.value("capital_threshold")),
        rigid_share=Fraction(files.value("rigid_share")),
        severe_grades=frozenset(map(int, files.value("severe_grades"))),
        severe_grades_mind=frozenset(map(int, files.value("severe_grades_intellectual_mental"))),
        tekun_disability={
            one["category"]: int(one["max_grade"]) for one in files.in_force("tekun_disability")
        },
        register_most=int(files.value("register_max_persons")),
        evidence_days=int(files.value("evidence_max_age_days")),
        quarantined_share=float(files.value("max_quarantined_share")),
        fx={one["currency"]: Fraction(one["value"]) for one in files.in_force("fx")},
        max_age_days={source: files.max_age_days(source) for source in (*SOURCES, *FURTHER_SOURCES)},
        rules_off=files.rules_off(place.county for place in places),
    )


def _places(files: PolicyFiles) -> tuple[Place, ...]:
    found: list[Place] = []
    for city in tomllib.loads(_PLACES.read_text(encoding="utf-8"))["city"]:
        for county in city["counties"]:
            for area, share in (("urban", 1 - city["rural"]), ("rural", city["rural"])):
                if share and files.local("dibao_standard", county, area) is not None:
                    weight = city["weight"] * share / len(city["counties"])
                    found.append(Place(county, city["code"], area, weight))
    if not found:
        raise ValueError(
            f"policy {files.path} has no dibao_standard for any county of {_PLACES.name}; want at least one"
        )
    return tuple(found)


def _lines(files: PolicyFiles, places: tuple[Place, ...]) -> dict[str, Line]:
    lines: dict[str, Line] = {}

    def add(key: str, yuan: Callable[[str, str], Fraction | None]) -> None:
        lines[key] = Line(key, tuple(yuan(place.county, place.area) for place in places))

    def standard(county: str, area: str) -> Fraction:
        found = files.local("dibao_standard", county, area)
        assert found is not None  # places without one were left out
        return found

    for programme in PROGRAMME_CODES:
        for use in ("check", "entry"):
            add(f"{use}:{programme}", partial(files.income_line, programme, use))
        add(f"limit:{programme}", partial(files.asset_limit, programme))
    premium, obligor = (Fraction(files.value(key)) for key in ("premium_multiple", "obligor_multiple"))
    add("standard", standard)
    add("premium", lambda county, area: standard(county, area) * premium * 12)
    add("obligor", lambda county, area: standard(county, area) * obligor)
    return lines
