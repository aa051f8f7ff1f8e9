"""A rule that cannot be run is refused by name, with what was found and wanted, and never silently left out."""

from __future__ import annotations

import shutil

import pytest

from pipelines import rule_sql, warehouse
from pipelines.errors import NightFailed
from pipelines.policy_in_force import load_policy
from pipelines.settings import Settings
from policy import rules

from .worlds import AS_OF, Home, assessed, row, sources_of

GOOD = (rules.SHIPPED.parent.parent / "sql/assess/rules/b02.sql").read_text("utf-8")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """The shipped rules and SQL where a test may spoil them."""
    shutil.copytree(warehouse.SQL_FOLDER, tmp_path / "sql")
    shutil.copy(rules.SHIPPED, tmp_path / "rules.toml")
    for module in (warehouse, rule_sql):
        monkeypatch.setattr(module, "SQL_FOLDER", tmp_path / "sql")
    monkeypatch.setattr(rules, "SHIPPED", tmp_path / "rules.toml")
    return tmp_path


def refused(tree, text):
    (tree / "sql/assess/rules/b02.sql").write_text(text, "utf-8")
    with pytest.raises(NightFailed) as refusal:
        assessed({"one": Home((row("market_regulation", uscc="91440101MA5TESTXX1"),))}, sources_of())
    told = str(refusal.value)
    assert told.startswith("sql/assess/rules/b02.sql: ") and "Nothing was published" in told
    assert "internal fault" not in told and "\n" not in told
    return told


@pytest.mark.parametrize(
    ("spoil", "found", "wanted"),
    [
        (lambda text: text.replace("select", "selec"), "Parser Error: syntax error", "docs/rules.md"),
        (lambda text: text.replace("where", "where nothing_such = 1 and"), "nothing_such", "docs/rules.md"),
        (lambda text: text.replace("table b02 as", "table b03 as"), "it creates b03", "table b02 as"),
        (lambda text: "-- nothing", "it creates no table", "table b02 as"),
        (lambda text: text + "create table member as select 1;", "it creates b02, member", "no other table"),
        (lambda text: text.replace("as evidence", "as evidenz"), "missing in its table: evidence", "value_cents"),
        (lambda text: text.replace("as value_cents", "/ 3.0 as value_cents"), "value_cents as DOUBLE", "round_half_up"),
        (lambda text: text.replace("where", "where $as_off is null and"), "$as_off", "$as_of,"),
    ],
    ids=["syntax", "column", "another table", "no table", "two tables", "no evidence", "fraction", "value"],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_told_with_its_file_and_what_was_wanted(tree, spoil, found, wanted):
    spoilt = spoil(GOOD)
    assert spoilt != GOOD
    told = refused(tree, spoilt)
    assert found in told and wanted in told.partition("; wanted ")[2]


def test_an_error_over_rows_quotes_no_row(tree):
    told = refused(
        tree,
        "create or replace table b02 as select 1 as household, 1 as record, ('K' || how || '9144')::bigint as value_cents, "
        "0 as line_cents, '' as evidence from reach_market_regulation;",
    )
    assert "Conversion Error: Could not convert string …" in told
    assert "9144" not in told and "exact" not in told


def test_a_rule_without_its_file_is_told_before_any_feed_is_read(tree):
    (tree / "sql/assess/rules/b02.sql").unlink()
    with pytest.raises(NightFailed, match=r"\[\[rule\]\] B02: sql/assess/rules/b02.sql is not there"):
        load_policy(Settings(home=tree, as_of=AS_OF))


@pytest.mark.parametrize("key", ["needs", "connected"])
def test_a_source_nobody_knows_does_not_silently_switch_a_rule_off(tree, key):
    text = (tree / "rules.toml").read_text("utf-8")
    place = text.index(f"{key} = [", text.index('code = "V01"') if key == "needs" else 0)
    end = text.index("]", place)
    (tree / "rules.toml").write_text(text[:place] + f'{key} = ["vehicels"' + text[end:], "utf-8")
    with pytest.raises(NightFailed, match=rf"{key} names vehicels, which is no source; .*vehicles"):
        load_policy(Settings(home=tree, as_of=AS_OF))
