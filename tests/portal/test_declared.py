"""Every case page says what the household declared; where nobody knows it, it says so."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal

import pyarrow.parquet as pq
from bs4 import BeautifulSoup

from pipelines.identity.keyring import new_ring
from pipelines.night import run_night
from pipelines.settings import Settings
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


def test_the_night_tells_what_the_roster_told(tmp_path, monkeypatch):
    new_ring(tmp_path / "keys" / "ring.json")
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
