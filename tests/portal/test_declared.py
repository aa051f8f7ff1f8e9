"""Every case page says what the household declared; where nobody knows it, it says so."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal

import pyarrow.parquet as pq
from bs4 import BeautifulSoup
from sqlalchemy import select

from pipelines.identity.keyring import new_ring
from pipelines.night import run_night
from pipelines.settings import Settings
from portal.database import migrate, open_database
from portal.load import load_night
from portal.schema import Lead
from portal.scope import open_machine_session
from sample_data.build import write_province
from tests.portal.cases import case_of
from tests.portal.nights import OLD_ROSTER, household, lead, number, publish


def declared(officer, case):
    page = BeautifulSoup(officer.get(f"/cases/{case.id}").text, "html.parser").select_one("#declared")
    return dict(
        zip([dt.text for dt in page.find_all("dt")], [dd.text for dd in page.find_all("dd")], strict=True)
    )


def test_a_case_says_what_was_declared_whatever_its_rule_compares(desk):
    county = desk.officer("xian1", "county", "440103")
    roster = [household("H1", declared_income="1234.5", declared_assets="0")]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", [lead("H1", "D01", id=number(1))], roster=roster))
    case = case_of(desk, "H1")
    told = declared(county, case)
    assert (told["申报家庭月收入"], told["申报金融资产"]) == ("1,234.50元", "0.00元（家庭合计）")
    assert told["申报数据来自"].startswith("2026-06-30")
    assert "1,234.50元" in county.get(f"/cases/{case.id}/visit-form").text
    changed = [household("H1", declared_income="1300", declared_assets="0")]
    desk.load(publish(desk.home, desk.ring, "2026-07-01", [lead("H1", "D01", id=number(1))], first="2026-06-30",
                      roster=changed))  # fmt: skip
    assert declared(county, case)["申报家庭月收入"] == "1,300.00元"


def test_what_nobody_declared_or_told_is_not_shown_as_nothing(desk):
    county = desk.officer("xian1", "county", "440103")
    rows = [lead("H1", id=number(1)), lead("H2", id=number(2))]
    families = [lead("C1", "N01", id=number(3))]
    old = [{key: value for key, value in household("H1").items() if not key.startswith("declared")}]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", rows, families, roster=old, schema=OLD_ROSTER))
    assert declared(county, case_of(desk, "H1"))["申报家庭月收入"] == "未载明"
    assert declared(county, case_of(desk, "H2"))["申报金融资产"] == "未载明"
    assert declared(county, case_of(desk, "C1"))["申报金融资产"].startswith("未申报")


def test_a_real_night_tells_what_was_declared_and_by_whom(tmp_path, monkeypatch):
    ring = new_ring(tmp_path / "keys" / "ring.json")
    monkeypatch.setenv("HEDUI_KEYRING", str(tmp_path / "keys" / "ring.json"))
    as_of = date(2026, 6, 15)
    write_province(tmp_path / "feeds", households=30, seed=1, as_of=as_of)
    manifest = run_night(Settings(home=tmp_path / "home", as_of=as_of, feeds=tmp_path / "feeds", workers=1))
    roster = pq.read_table(tmp_path / "home" / "nights" / manifest["folder"] / "roster.parquet").to_pylist()
    with (tmp_path / "feeds" / "roster" / "households.csv").open(encoding="utf-8-sig") as file:
        given = {row["家庭编号"]: row for row in csv.DictReader(file)}
    assert len(roster) > 10
    for row in roster:
        source = given[row["household_id"]]
        assert row["declared_income"] == Decimal(source["申报家庭月收入"].replace(",", ""))
        assert row["declared_assets"] == Decimal(source["申报金融资产"].replace(",", ""))
    engine = open_database(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    migrate(engine)
    load_night(tmp_path / "home", as_of, engine, ring)
    with open_machine_session(engine) as db:
        found = {row.rule: (row.sources, row.source_dates) for row in db.scalars(select(Lead))}
    engine.dispose()
    families = {rule: told for rule, told in found.items() if rule.startswith(("N", "U"))}
    assert families and all(sources and days for sources, days in found.values())
    for rule, (sources, days) in families.items():
        assert sources.startswith("救助名册" if rule.startswith("U") else "乡村振兴")
        assert ("银行 2026-06-" in days) == (rule != "N00")


def test_only_amounts_rounded_to_the_line_are_explained(desk):
    county = desk.officer("xian1", "county", "440103")
    rows = [
        lead("H1", "A01", id=number(1), value=31200, line=31200),
        lead("H2", "B01", id=number(2), value=0, line=0),
    ]
    desk.load(
        publish(desk.home, desk.ring, "2026-06-30", rows, [lead("C1", "N01", id=number(3), value=1300)])
    )
    pages = {name: county.get(f"/cases/{case_of(desk, name).id}").text for name in ("H1", "H2", "C1")}
    assert "实际合计超过标准" in pages["H1"] and "实际合计低于标准" in pages["C1"]
    assert "四舍五入" not in pages["H2"]
