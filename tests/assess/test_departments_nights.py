"""A department that comes and goes: its leads from night to night, and nights without it as if it did not exist."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.lists import read_published
from pipelines.manifest import Manifest
from pipelines.night import run_night
from pipelines.settings import Settings
from sample_data.build import write_province

FIRST = date(2026, 6, 30)
HEADER = "公民身份号码,姓名,号牌号码,号牌种类,车辆识别代号,车辆类型,使用性质,能源种类,排量,初次登记日期,本人登记日期,机动车状态,道路运输证,车辆价值"


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    write_province(tmp_path / "feeds", households=12, seed=3, departments="card")
    return tmp_path / "feeds"


def a_member(feeds: Path) -> tuple[str, str, str]:
    """Household, number and name of a head on the roster whose household's feeds are quiet about property."""
    rows = csv.DictReader((feeds / "roster" / "members.csv").read_text("utf-8-sig").splitlines())
    active = {
        one["家庭编号"]
        for one in csv.DictReader((feeds / "roster" / "households.csv").read_text("utf-8-sig").splitlines())
        if one["状态"] == "在保"
    }
    everything = {
        one["公民身份号码"]
        for one in csv.DictReader(
            (feeds / "roster" / "authorisations.csv").read_text("utf-8-sig").splitlines()
        )
        if one["授权范围"] == "*" and not one["有效期至"]
    }
    head = next(
        one for one in rows
        if one["角色"] == "成员" and one["与户主关系"] == "01" and one["家庭编号"] in active and one["公民身份号码"] in everything
    )  # fmt: skip
    return head["家庭编号"], head["公民身份号码"], head["姓名"]


def deliver(feeds: Path, number: str, name: str, day: date, *kinds: str, damaged: bool = False) -> None:
    folder = feeds / "vehicles"
    folder.mkdir(exist_ok=True)
    lines = [
        f"{number},{name},粤A0000{place},小型汽车,VIN{place},{kind},非营运,汽油,1598,2019-01-01,2019-01-01,正常,无,"
        for place, kind in enumerate(kinds)
    ]
    content = ("\n".join([HEADER, *lines]) + "\n").encode()
    (folder / "vehicles-1.csv").write_bytes(content)
    sha256 = hashlib.sha256(content + b"x" * damaged).hexdigest()
    receipt = {
        "source": "vehicles",
        "snapshot_date": day.isoformat(),
        "files": [{"name": "vehicles-1.csv", "sha256": sha256, "rows": len(lines)}],
    }
    (folder / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")


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
