"""A department that comes and goes: its leads from night to night, and nights without it as if it did not exist."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.kit.mock import render_file, write_feed
from connectors.registry import all_contracts
from pipelines.lists import read_published
from pipelines.manifest import Manifest
from pipelines.night import run_night
from pipelines.settings import Settings
from sample_data.build import write_province

from .worlds import ORDINARY

FIRST = date(2026, 6, 30)


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    write_province(tmp_path / "feeds", households=12, seed=3, departments="card")
    return tmp_path / "feeds"


def a_member(feeds: Path) -> tuple[str, str, str]:
    """Household, number and name of a head on the roster whose household's feeds are quiet about property."""

    def rows(name: str) -> csv.DictReader[str]:
        return csv.DictReader((feeds / "roster" / f"{name}.csv").read_text("utf-8-sig").splitlines())

    active = {one["家庭编号"] for one in rows("households") if one["状态"] == "在保"}
    everything = {
        one["公民身份号码"]
        for one in rows("authorisations")
        if one["授权范围"] == "*" and not one["有效期至"]
    }
    head = next(
        one for one in rows("members")
        if one["角色"] == "成员" and one["与户主关系"] == "01" and one["家庭编号"] in active and one["公民身份号码"] in everything
    )  # fmt: skip
    return head["家庭编号"], head["公民身份号码"], head["姓名"]


def deliver(feeds: Path, number: str, name: str, day: date, *kinds: str, damaged: bool = False) -> None:
    contract, file = all_contracts()["vehicles"], "vehicles-1.csv"
    ordinary = {"displacement": "1598", "assessed_value": "", **ORDINARY["vehicles"]}
    rows = [
        {**ordinary, "id_number": number, "name": name, "vin": f"VIN{place}", "vehicle_kind": kind}
        for place, kind in enumerate(kinds)
    ]
    write_feed(contract, feeds / "vehicles", [(file, render_file(contract.files[0], rows), len(rows))], day)
    if damaged:
        with (feeds / "vehicles" / file).open("ab") as content:
            content.write(b"x")


def night(feeds: Path, home: Path, as_of: date) -> Manifest:
    return run_night(Settings(home=home, as_of=as_of, feeds=feeds))


def states(home: Path, manifest: Manifest, household: str, rule: str = "V01") -> list[str]:
    table = read_published(home, manifest, "discrepancies").to_pylist()
    return [one["state"] for one in table if (one["household_id"], one["rule"]) == (household, rule)]


def page_of(home: Path, manifest: Manifest) -> str:
    return (home / "nights" / manifest["folder"] / "report.html").read_text("utf-8")


def settings_used(manifest: Manifest) -> set[str]:
    used = manifest["details"]["policy"]["used"]
    return {one["identity"]["rule"] for one in used if one["key"] == "rule_setting"}


def test_a_lead_of_a_department_that_is_held_or_gone_waits_and_is_cleared_by_its_feed_alone(
    feeds: Path, tmp_path: Path
) -> None:
    household, number, name = a_member(feeds)
    home, days = tmp_path / "home", [FIRST + timedelta(days=place) for place in range(5)]

    without = night(feeds, home, days[0])
    assert len(without["status"]["sources"]) == 8 and settings_used(without) == set()
    page = page_of(home, without)
    assert "机动车" not in page and "V01" not in page and "D04" not in page

    deliver(feeds, number, name, FIRST, "载客汽车")
    connected = night(feeds, home, days[1])
    assert states(home, connected, household) == ["new"]
    assert connected["status"]["sources"]["vehicles"]["linked"] == 1
    table = read_published(home, connected, "discrepancies").to_pylist()
    lead = next(one for one in table if one["rule"] == "V01")
    assert (lead["sources"], lead["source_dates"]) == ("机动车登记", "机动车登记 2026-06-30")
    assert settings_used(connected) == {"V01"}
    page = page_of(home, connected)
    assert "V01" in page and "D04" not in page

    deliver(feeds, number, name, FIRST, "载客汽车", damaged=True)
    held = night(feeds, home, days[2])
    assert held["status"]["sources"]["vehicles"]["state"] == "held"
    assert states(home, held, household) == ["unverified"]

    for file in (feeds / "vehicles").iterdir():
        file.unlink()
    gone = night(feeds, home, days[3])
    assert "vehicles" not in gone["status"]["sources"]
    assert states(home, gone, household) == ["unverified"]

    deliver(feeds, number, name, FIRST, "摩托车")
    assert states(home, night(feeds, home, days[4]), household) == ["cleared"]
