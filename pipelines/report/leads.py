"""The report's pages about leads: by state, by night, and by county and rule with small cells suppressed."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.report.figures import Flow, flow_bars
from pipelines.report.suppression import suppress
from pipelines.report.wording import Wording

LISTS = ("discrepancies", "newly_eligible")
STATES = ("new", "continuing", "changed", "unverified", "cleared")
# A cleared lead is told once and is no longer there.
PRESENT = frozenset(STATES) - {"cleared"}
# Lower bounds of the shades of the county table.
SHADES = (8, 20, 50, 100, 250, 500)


@dataclass(frozen=True)
class StateRow:
    """withheld: None where a list withholds nobody."""

    name: str
    counts: Mapping[str, int]
    present: int
    withheld: int | None


@dataclass(frozen=True)
class HeatCell:
    """count: None when suppressed; shade: 0 to len(SHADES)."""

    count: int | None
    shade: int


@dataclass(frozen=True)
class HeatRow:
    code: str
    name: str
    opens_city: bool
    cells: Sequence[HeatCell]
    total: int | None


@dataclass(frozen=True)
class HeatTable:
    list: str
    name: str
    rules: Sequence[tuple[str, str]]
    rows: Sequence[HeatRow]
    rule_totals: Sequence[int | None]
    total: int
    withheld: bool
    hidden: int


@dataclass(frozen=True)
class NightRow:
    as_of: str
    is_tonight: bool
    received: Sequence[int | None]
    flows: Sequence[tuple[int, int]]


def state_rows(manifest: Mapping[str, Any], wording: Wording) -> list[StateRow]:
    return [
        StateRow(
            wording.codes.lists.name(which),
            {state: told[state] for state in STATES},
            sum(told[state] for state in PRESENT),
            told.get("withheld"),
        )
        for which, told in manifest["status"]["lists"].items()
    ]


def heat_table(manifest: Mapping[str, Any], which: str, wording: Wording) -> HeatTable:
    """Leads present tonight, a row per county the night knows of, also those with no lead of this list."""
    leads = manifest["details"]["leads"]
    counts: dict[tuple[str, str], int] = {}
    for lead in leads:
        if lead["list"] == which and lead["state"] in PRESENT:
            key = lead["county_code"], lead["rule"]
            counts[key] = counts.get(key, 0) + lead["count"]
    places = _counties(lead["county_code"] for lead in leads)
    rules = _rules(wording, which, manifest["status"]["sources"], {rule for _, rule in counts})
    table = suppress(counts, places, rules)
    rows: list[HeatRow] = []
    for place, cells, total in zip(table.places, table.cells, table.place_totals, strict=True):
        opens_city = bool(rows) and rows[-1].code[:4] != place[:4]
        heat = [HeatCell(count, _shade(count)) for count in cells]
        rows.append(HeatRow(place, wording.place(place), opens_city, heat, total))
    return HeatTable(
        list=which,
        name=wording.codes.lists.name(which),
        rules=[(rule, wording.rule(rule)) for rule in table.rules],
        rows=rows,
        rule_totals=table.rule_totals,
        total=table.total,
        withheld=table.withheld,
        hidden=sum(count is None for cells in table.cells for count in cells),
    )


def _counties(codes: Iterable[str]) -> list[str]:
    return sorted(set(codes))


def _rules(wording: Wording, which: str, connected: Container[str], found: Collection[str]) -> list[str]:
    """Rules whose departments are connected, and those that still have leads, in the order of rules.toml."""
    judged = wording.rules_of(which, connected)
    known = [code for code in wording.rules if code in judged or code in found]
    return [*known, *sorted(set(found) - set(known))]


def _shade(count: int | None) -> int:
    return 0 if count is None else sum(count >= bound for bound in SHADES)


def flow_figures(nights: Sequence[Mapping[str, Any]], wording: Wording) -> list[tuple[str, Markup]]:
    """A figure per list: new and cleared leads of each night."""
    figures = []
    for which in LISTS:
        flows = [Flow(night["as_of"], *_flow(night, which)) for night in nights]
        name = wording.codes.lists.name(which)
        figures.append((name, flow_bars(f"{name}：近 {len(flows)} 晚新增与已消除", flows)))
    return figures


def night_rows(nights: Sequence[Mapping[str, Any]], sources: Sequence[str]) -> list[NightRow]:
    """The table beside the figures, oldest night first."""
    from pipelines.report.sources import received_on

    return [
        NightRow(
            night["as_of"],
            night is nights[-1],
            [received_on(night, source) for source in sources],
            [_flow(night, which) for which in LISTS],
        )
        for night in nights
    ]


def _flow(night: Mapping[str, Any], which: str) -> tuple[int, int]:
    told = night["status"]["lists"][which]
    return told["new"], told["cleared"]
