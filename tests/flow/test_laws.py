"""Laws that hold between two nights of one world, whatever its rows: less evidence, the same twice, other money."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.registry import evidence_sources
from pipelines.assess import assess_night
from pipelines.identity.keyring import KeyRing
from pipelines.intake.evidence import intake_source
from pipelines.link import link_night
from pipelines.night import clear_work, judging_of, read_sources, run_people
from pipelines.policy_in_force import load_policy
from pipelines.settings import Settings
from tests.oracle.builder import LAYOUT, Builder, Record
from tests.oracle.identity import read_id
from tests.oracle.world import as_of, build
from tests.oracle.writing import write_feeds

from .long_runs import IS_LONG

SEEDS = (3, 5, 16, 21) if IS_LONG else (16,)
DEPARTMENTS = ("tax", "market_regulation", "banks", "securities", "insurance", "household_registration")
Lead = tuple[str, str, object, object]
Leads = dict[Lead, int]


class Bench:
    """One home, so that a person's token stays the same from variant to variant."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed, self.day = folder, seed, as_of(seed)
        self.world = build(seed)
        at = self.day.year * 12 + self.day.month - 1
        first, last = at - self.world.law.months - 1, at - 1
        self.covers = [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in (first, last)]

    def copy(self) -> list[Record]:
        return [Record(r.table, r.file, dict(r.cells), r.raw, r.broken, r.quoted) for r in self.world.records]

    def leads(self, records: list[Record], policy: Callable[[str], str] = str, without: str = "") -> Leads:
        """Tonight's discrepancy leads of these records: identity -> value in hundredths."""
        shutil.rmtree(self.folder / "feeds", ignore_errors=True)
        builder = Builder(self.seed, self.day)
        builder.records = records
        write_feeds(builder, self.folder / "feeds", self.day, {}, random.Random(1), self.covers)
        if without:
            shutil.rmtree(self.folder / "feeds" / without)
        (self.folder / "policy.toml").write_text(policy(self.world.law.toml()), "utf-8")
        settings = Settings(
            self.folder / "home", self.day, self.folder / "feeds", self.folder / "policy.toml", 1
        )
        law = load_policy(settings)
        settings.home.mkdir(exist_ok=True)
        ring = KeyRing.open(settings.home, os.environ)
        clear_work(settings)
        run_people(settings, law, ring)
        for source in evidence_sources():
            result = intake_source(settings, source, law, ring.cipher(), judging_of(law))
            is_there = source in DEPARTMENTS and source != without
            assert result["state"] == ("accepted" if is_there else "missing"), result
        link_night(settings)
        assess_night(settings, law, read_sources(settings))
        rows = pq.read_table(settings.work / "assess" / "discrepancy.parquet").to_pylist()
        return {(r["rule"], r["household_id"], r["hi"], r["lo"]): int(r["value_cents"]) for r in rows}


@pytest.fixture(scope="module", params=SEEDS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("laws"), request.param)


@pytest.fixture(scope="module")
def whole(bench: Bench) -> Leads:
    leads = bench.leads(bench.copy())
    assert len({rule for rule, *_ in leads}) >= 10, "a world too quiet to show anything"
    return leads


@pytest.mark.parametrize("source", DEPARTMENTS)
def test_removing_a_whole_feed_adds_no_lead(bench: Bench, whole: Leads, source: str) -> None:
    less = bench.leads(bench.copy(), without=source)
    assert less.keys() <= whole.keys()
    # Values only fall, but for A02, I02 and P01 too: they are sums above a figure that stays.
    assert all(value <= whole[lead] for lead, value in less.items())


def test_removing_the_monitored_households_adds_nothing_but_repairs_that_were_ambiguous(
    bench: Bench, whole: Leads
) -> None:
    """X03 wants exactly one person among all records: with fewer records one more row may have just one."""
    less = bench.leads(bench.copy(), without="rural_revitalisation")
    assert {lead for lead in less.keys() - whole.keys() if lead[0] != "X03"} == set()


def number_of(record: Record, bench: Bench) -> str | None:
    header = next((column.header for column in LAYOUT[record.table] if column.key == "id"), None)
    found = read_id(str(record.cells.get(header) or ""), bench.day) if header and record.raw is None else None
    return found.text if found else None


@pytest.mark.parametrize("pick", range(6 if IS_LONG else 2))
def test_removing_every_row_of_one_person_adds_no_lead(bench: Bench, whole: Leads, pick: int) -> None:
    """The departments' rows; those of the roster say who is asked about. H01 of a register that was collective
    before may appear: that one person made it so."""
    rng = random.Random(pick)
    persons = sorted(
        {n for r in bench.world.records if r.table in DEPARTMENTS and (n := number_of(r, bench))}
    )
    chosen = set(rng.sample(persons, max(1, len(persons) // 12)))
    for number in chosen if IS_LONG else [None]:
        gone = {number} if number else chosen
        records = [r for r in bench.copy() if r.table not in DEPARTMENTS or number_of(r, bench) not in gone]
        less = bench.leads(records)
        assert {lead for lead in less.keys() - whole.keys() if lead[0] != "H01"} == set()


def test_rows_delivered_twice_change_nothing_but_the_count_of_repaired_rows(
    bench: Bench, whole: Leads
) -> None:
    records = bench.copy()
    twice = [r for r in bench.copy() if r.table in DEPARTMENTS]
    found = bench.leads(records + twice)
    assert found.keys() == whole.keys()
    assert {lead for lead in found if found[lead] != whole[lead]} <= {
        lead for lead in found if lead[0] == "X03"
    }
    assert all(found[lead] == 2 * whole[lead] for lead in found if lead[0] == "X03")


MONEY = {
    "households": ("declared_monthly_income", "declared_financial_assets"), "tax": ("amount",),
    "market_regulation": ("subscribed_capital",), "banks": ("balance",), "securities": ("market_value", "cash_balance"),
    "insurance": ("annual_premium", "cash_value"), "rural_revitalisation": ("declared_annual", "rigid_expenditure"),
}  # fmt: skip
SCALED = ("dibao_standard", "disposable_income", "minimum_wage", "income_tolerance", "undeclared_income_tolerance",
          "undeclared_assets_tolerance", "capital_threshold")  # fmt: skip
BY_AMOUNT = {"I01", "I02", "A01", "A02", "P01", "B01", "S01"}


def scale_law(text: str, factor: int) -> str:
    parts = re.split(r"(?m)^(?=\[\[)", text)
    for at, part in enumerate(parts):
        name = part.partition("]]")[0].removeprefix("[[")
        if name in SCALED:
            parts[at] = re.sub(
                r"(?m)^value = \"?([0-9.]+)\"?", lambda found: f"value = {Decimal(found[1]) * factor:f}", part
            )
    return "".join(parts)


def test_all_money_and_all_thresholds_in_another_unit_change_no_lead(bench: Bench, whole: Leads) -> None:
    factor = 7
    records = bench.copy()
    for record in records:
        headers = {column.key: column.header for column in LAYOUT[record.table]}
        for key in MONEY.get(record.table, ()):
            cell = record.cells.get(headers[key])
            try:
                amount = Decimal(str(cell).strip().replace(",", "")) * factor
            except InvalidOperation:
                continue
            if re.fullmatch(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?", str(cell).strip()):
                record.cells[headers[key]] = f"{amount:f}" if isinstance(cell, str) else type(cell)(amount)
    found = bench.leads(records, lambda text: scale_law(text, factor))
    assert found.keys() == whole.keys()
    for lead, value in found.items():
        if lead[0] in BY_AMOUNT:
            assert abs(value - factor * whole[lead]) <= factor, lead
        else:
            assert value == whole[lead], lead
