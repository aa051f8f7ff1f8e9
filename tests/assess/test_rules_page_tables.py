"""docs/rules.md tells of every value a rule is given and of every column of the tables a rule reads."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from pipelines.assess import assess_tables, rule_parameters
from policy.model import load

from .worlds import AS_OF, Home, _put_evidence, _put_people, sources_of

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]


def test_every_value_has_its_row() -> None:
    told = {name for row in ROWS for name in re.findall(r"`\$(\w+)`", row[0])}
    assert told == {*rule_parameters(load().at(AS_OF), set(), True), "property_held"}


@pytest.mark.parametrize("table", ["member", "household", "rule_setting"])
def test_every_column_is_told(table: str) -> None:
    with duckdb.connect(":memory:") as con:
        homes = {"one": Home()}
        _put_evidence(con, homes, _put_people(con, homes))
        assess_tables(con, load().at(AS_OF), sources_of())
        columns = [row[0] for row in con.execute(f"describe {table}").fetchall()]
    (row,) = [row for row in ROWS if row[0].strip() == f"`{table}`"]
    assert re.findall(r"`(\w+)`", row[2]) == columns
