"""From the desk to the night and back: a finding an officer explained stays off the list, counted, until its fact changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from pipelines.audit import AuditLog
from pipelines.errors import NightFailed, UsageError
from pipelines.export import export_list
from pipelines.household_check import check_household
from pipelines.identity.keyring import KeyRing
from pipelines.lists import read_list
from pipelines.night import run_night
from pipelines.settings import Settings
from pipelines.stages import begin_night, end_night, settings_values
from pipelines.verify import verify_home
from portal import suppressions
from sample_data.build import write_province
from tests.flow.nights import sign
from tests.portal.cases import case_of, leads_of
from tests.portal.desks import serve_desk

FIRST = date(2026, 6, 15)  # all nights in one month: the window of income does not move
DAY = timedelta(days=1)


class Night:
    """One home, its feeds and its desk; nights run in this process."""

    def __init__(self, folder, desk):
        self.desk, self.feeds, self.home = desk, folder / "feeds", desk.home
        write_province(self.feeds, households=60, seed=1, as_of=FIRST)

    def run(self, as_of):
        manifest = run_night(Settings(home=self.home, as_of=as_of, feeds=self.feeds, workers=1))
        self.desk.load(as_of)
        return manifest

    def rows(self, as_of, which="discrepancies"):
        return read_list(self.home, as_of, which, self.desk.ring).to_pylist()

    def export(self, as_of):
        return suppressions.export(self.home, self.desk.engine, self.desk.ring, as_of)

    def add_balance(self, id_number):
        """One more account at the bank whose file names the person."""
        for path in sorted((self.feeds / "banks").glob("*.csv")):
            content = path.read_bytes()
            row = next((line for line in content.splitlines() if line.startswith(id_number.encode())), None)
            if row is None:
                continue
            cells = row.split(b",")
            cells[3], cells[6] = b"6200009999999999999", b"7777.00"
            path.write_bytes(content + b",".join(cells) + b"\n")
            sign(path.parent, path.name, added=1)
            return
        raise AssertionError("nobody at a bank")


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Four nights: nothing explained; three findings explained; one fact changed; explanations lifted and over."""
    folder = tmp_path_factory.mktemp("explained")
    with pytest.MonkeyPatch.context() as patch, serve_desk(folder) as desk:
        patch.setenv("HEDUI_KEYRING", str(folder / "keys" / "ring.json"))
        desk.clock.at = datetime(2026, 6, 16, 1, 0, tzinfo=UTC)
        night = Night(folder, desk)
        told = SimpleNamespace(night=night, desk=desk, first=night.run(FIRST))
        listed = night.rows(FIRST)
        told.bank = next(row for row in listed if row["规则代码"] in ("A01", "A02"))
        told.death = next(row for row in listed if row["规则代码"] in ("D01", "D02"))
        told.other = next(row for row in listed if row["规则代码"] in ("I01", "I02", "S01", "B02"))
        officers = {}
        for row, until in ((told.bank, "2027-06-15"), (told.death, "2027-06-15"), (told.other, "2026-06-17")):
            county = row["县区代码"]
            officers[county] = desk.officer(f"o{county}", "county", county)
            lead = next(one for one in leads_of(desk, row["家庭编号"]) if one.lead_no == row["线索编号"])
            officers[county].done(
                case_of(desk, row["家庭编号"]).id,
                "suppress",
                {"lead": lead.id, "code": "not_true", "reason": "已核实", "until": until},
            )
        told.written = night.export(FIRST + DAY)
        told.second = night.run(FIRST + DAY)
        told.again = night.run(FIRST + DAY)
        night.add_balance(told.bank["公民身份号码"])
        told.third = night.run(FIRST + 2 * DAY)
        told.fourth = night.run(FIRST + 3 * DAY)
        yield told


def numbers(rows):
    return {row["线索编号"] for row in rows}


def test_explained_findings_leave_the_list_and_are_counted_apart(story):
    listed, apart = story.night.rows(FIRST + DAY), story.night.rows(FIRST + DAY, "explained")
    wanted = {story.bank["线索编号"], story.death["线索编号"], story.other["线索编号"]}
    assert story.written == 3 and numbers(apart) == wanted and not numbers(listed) & wanted
    assert numbers(listed) | numbers(apart) >= numbers(story.night.rows(FIRST))
    counted = story.second["details"]["explained"]
    assert (counted["count"], counted["written"], sum(row["count"] for row in counted["leads"])) == (3, 3, 3)
    lists = story.second["status"]["lists"]["discrepancies"]
    assert sum(lists.values()) == len(listed)
    report = story.night.home / "nights" / story.again["folder"] / "report.html"
    assert "另有 3 条疑似不符线索" in report.read_text("utf-8")
    row = next(row for row in apart if row["线索编号"] == story.bank["线索编号"])
    assert (
        row["核查反馈"].startswith("不属实")
        and row["有效期至"] == "2027-06-15"
        and row["核对值"] == story.bank["核对值"]
    )


def test_a_finding_that_only_grew_older_stays_explained(story):
    for days in (1, 2, 3):
        row = next(
            row
            for row in story.night.rows(FIRST + days * DAY, "explained")
            if row["线索编号"] == story.death["线索编号"]
        )
        assert (row["状态"], Decimal(row["核对值"]) - Decimal(story.death["核对值"])) == ("变化", days)


def test_a_changed_fact_returns_with_its_number(story):
    row = next(row for row in story.night.rows(FIRST + 2 * DAY) if row["线索编号"] == story.bank["线索编号"])
    assert row["状态"] == "变化" and Decimal(row["核对值"]) > Decimal(story.bank["核对值"])
    lead = leads_of(story.desk, story.bank["家庭编号"])
    assert next(one for one in lead if one.lead_no == row["线索编号"]).suppression_id is None


def test_a_finding_returns_when_its_time_is_over(story):
    number = story.other["线索编号"]
    assert number in numbers(story.night.rows(FIRST + 2 * DAY, "explained"))
    back = next(row for row in story.night.rows(FIRST + 3 * DAY) if row["线索编号"] == number)
    assert back["状态"] == "持续" and back["核对值"] == story.other["核对值"]


def test_the_same_night_gives_the_same_seal_and_everything_verifies(story):
    assert story.second["seal"] == story.again["seal"] and story.second["run"] != story.again["run"]
    assert verify_home(story.night.home, story.desk.ring) == []
    honoured = [
        entry.detail["explained"]
        for entry in AuditLog(story.night.home, story.desk.ring).entries()
        if entry.action == "published" and "explained" in entry.detail
    ]
    assert honoured == [3, 3, 2, 1]


def test_the_desk_shows_what_the_night_set_apart(story):
    county = story.death["县区代码"]
    officer = story.desk.officer(f"o{county}", "county", county)
    assert story.death["线索编号"] in officer.get("/lists/discrepancies?view=suppressed").text
    assert story.death["线索编号"] not in officer.get("/lists/discrepancies").text


def test_explained_findings_are_exported_and_looked_up_by_their_number(story, tmp_path):
    night = story.night
    told = {"actor": "审计", "reason": "查看已说明"}
    receipt = export_list(
        night.home, story.desk.ring, "explained", FIRST + DAY, "xlsx", tmp_path / "e.xlsx", **told
    )
    assert receipt.rows == 3
    with pytest.raises(UsageError, match="no explanations"):
        export_list(night.home, story.desk.ring, "explained", FIRST, "csv", tmp_path / "n.csv", **told)
    settings = Settings(home=night.home, as_of=date.max)
    answer = check_household(settings, story.death["家庭编号"], "经办", "复核")
    assert story.death["线索编号"] in {lead["lead_no"] for lead in answer["leads"]}


def test_a_broken_or_foreign_file_stops_the_night(story, tmp_path):
    file = story.night.home / "suppressions.sealed"
    whole = file.read_bytes()
    before = sorted(path.name for path in (story.night.home / "nights").iterdir())
    foreign = KeyRing.open(tmp_path, {})
    other = suppressions.write_suppressions
    other(tmp_path, foreign, [], story.desk.clock())
    try:
        for content in (whole[:-1], b"", b"\x00\x09" + whole[2:], (tmp_path / file.name).read_bytes()):
            file.write_bytes(content)
            with pytest.raises(NightFailed, match=r"suppressions\.sealed.*Nothing was published"):
                story.night.run(FIRST + 4 * DAY)
            given = {"as_of": "2026-06-19", "feeds": str(story.night.feeds), "home": str(story.night.home)}
            with pytest.raises(NightFailed, match="Nothing was published"):
                begin_night(given, FIRST, "scheduled")
            end_night(settings_values(given, FIRST), "scheduled")
    finally:
        file.write_bytes(whole)
    assert sorted(path.name for path in (story.night.home / "nights").iterdir()) == before


def test_explanations_that_hold_nothing_change_no_seal_and_no_file_reopens(story):
    """An empty file, and none: the list is whole again either way, with the same seal."""
    file = story.night.home / "suppressions.sealed"
    whole = file.read_bytes()
    try:
        suppressions.write_suppressions(story.night.home, story.desk.ring, [], story.desk.clock())
        empty = story.night.run(FIRST + 4 * DAY)
        file.unlink()
        none = story.night.run(FIRST + 4 * DAY)
    finally:
        file.write_bytes(whole)
    assert empty["seal"] == none["seal"] and "explained" not in none["details"]
    assert story.death["线索编号"] in numbers(story.night.rows(FIRST + 4 * DAY))
