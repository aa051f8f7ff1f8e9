"""The night's readers with nothing behind them add up what a reading from the specification alone adds up."""

from collections import defaultdict
from datetime import date
from fractions import Fraction
from types import SimpleNamespace

import pytest

from bench.feeds import AS_OF
from bench.peers.hedui_readers import AMOUNTS, person_sums
from bench.tree import ROOT
from tests.oracle.reading import read_source

FEEDS = ROOT / "sample_data" / "feeds"
ORACLE_NAMES = {"rigid_expenditure_12m": "rigid_expenditure"}
# Told of rows only when all are known; a reader alone lets them pass.
ACROSS_ROWS = {"household_head_missing", "household_repeated", "member_repeated", "household_unknown"}


def test_sums_are_those_of_a_plain_reading_of_the_sample():
    as_of = date.fromisoformat(AS_OF)
    law = SimpleNamespace(
        fx=lambda: {"CNY": 1, "USD": 7, "HKD": 1}, max_age_days=lambda source: 3660, scalar=lambda key: 1
    )

    def rows_of(source):
        return [
            row.values
            for row in read_source(FEEDS, source, law, as_of).rows
            if row.reasons <= ACROSS_ROWS and "id" in row.values and row.values["id"].valid
        ]

    people = {values["id"].text for values in rows_of("roster") if "role" in values}
    wanted = defaultdict(lambda: [0, Fraction(0)])
    for source, columns in AMOUNTS.items():
        for values in rows_of(source):
            if values["id"].text in people:
                found = wanted[source, values["id"].text]
                found[0] += 1
                found[1] += sum(Fraction(values[ORACLE_NAMES.get(name, name)]) for name in columns)
    table = person_sums(FEEDS)
    assert len(table) == len(wanted) > 500
    for row in table.to_pylist():
        records, amount = wanted[row["source"], row["id"]]
        assert row["records"] == records
        assert row["amount"] == pytest.approx(float(amount), abs=0.005)
