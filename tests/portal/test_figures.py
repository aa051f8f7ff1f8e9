"""Dates, rates and the commands."""

from __future__ import annotations

import io
import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from portal.__main__ import main
from portal.codes import FOLDER, clocks, desk_codes, rule_figures
from portal.demonstration import NoDemonstration, make_accounts
from portal.schema import User
from portal.scope import open_machine_session
from portal.sheet import RULES, figure, yuan
from portal.statistics import SMALLEST_CELL, Rate, cover_small_cells, wilson_interval
from portal.workdays import add_months, add_working_days, work_calendar
from tests.portal.cases import KEEP, answer_all, case_of
from tests.portal.nights import lead, number, publish


@pytest.mark.parametrize(("start", "days", "end"), [
    ("2026-02-13", 1, "2026-02-14"),  # Saturday worked for the Spring Festival
    ("2026-02-14", 1, "2026-02-24"),  # nine days off
    ("2026-09-30", 3, "2026-10-10"),  # eighth, ninth, and Saturday the tenth
    ("2026-07-03", 1, "2026-07-06"),  # an ordinary weekend
    ("2025-12-31", 1, "2026-01-04"),  # over the turn of the year
    ("2028-07-07", 1, "2028-07-10"),  # a year without a notice: weekends only
])  # fmt: skip
def test_working_days_follow_the_notices(start, days, end):
    assert add_working_days(date.fromisoformat(start), days) == date.fromisoformat(end)


def test_a_month_later_is_the_same_day_or_the_last():
    assert add_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert add_months(date(2026, 12, 15), 12) == date(2027, 12, 15)


def test_every_limit_and_year_names_its_source():
    assert all(clock.source for clock in clocks().values())
    assert {2025, 2026} <= set(work_calendar().sources)


def test_every_rule_has_its_figures_and_every_stage_its_way_out():
    assert set(rule_figures()) == set(RULES)
    codes = desk_codes()
    reachable = {stage for stages in codes.allowed.values() for stage in stages}
    assert reachable == set(codes.stages)


def test_figures_are_read_with_their_unit():
    assert (yuan(-123456), yuan(5), yuan(None)) == ("-1,234.56", "0.05", "")
    assert (figure("A01", 3120000), figure("D01", 4500), figure("B02", 200)) == ("31,200.00元", "45天", "2")


def test_intervals_are_wilsons():
    low, high = wilson_interval(5, 10)
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_a_small_group_is_hidden_and_cannot_be_computed_from_the_others():
    rates = cover_small_cells([Rate("a", 1, 100), Rate("b", 1, 20), Rate("c", 1, SMALLEST_CELL - 1)])
    assert [rate.hidden for rate in rates] == [False, True, True]


def test_the_statistics_count_what_was_answered_and_hide_the_few(desk):
    rows = [
        lead(f"household-{at}", "A01", id=number(at), no=f"440103-20260630-D-{at:05d}") for at in range(1, 11)
    ]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", rows))
    county = desk.officer("xian1", "county", "440103")
    for at in range(1, 11):
        answer_all(desk, county, f"household-{at}", "not_true" if at <= 5 else "confirmed")
    county.done(case_of(desk, "household-1").id, "decide", KEEP)
    province = desk.officer("sheng", "province", "44")
    page = province.get("/statistics").text
    assert page.count("50.0%") >= 2 and "23.7% – 76.3%" in page
    assert "household-1" not in page and "核实后维持或无需处理 <b>1</b>" in page
    assert "荔湾区" in province.get("/statistics/bulletin?month=2026-06").text
    # No month follows the last one.
    for month in ("9999-12", "0000-01", "2026-13", "%00"):
        assert "2026年07月" in province.get(f"/statistics/bulletin?month={month}").text


def told_to(officer, path):
    """A page as it is read."""
    return " ".join(BeautifulSoup(officer.get(path).text, "html.parser").find("main").get_text().split())


def test_families_newly_helped_are_counted_as_households_and_as_persons(desk):
    """All members, of a family that only single-person rules fit those persons; each once in however many leads."""
    families = [
        lead("whole", "N01", id=number(1), members=4),
        lead("both", "N02", id=number(2), members=3),
        lead("both", "N03", id=number(3), members=3),
        lead("single", "U02", id=number(4), members=5),
        lead("single", "U02", id=number(5), members=5),
        lead("waiting", "N01", id=number(6), members=2),
    ]
    flagged = [
        lead("one", "A01", id=number(11)),
        lead("one", "D01", id=number(11)),
        lead("one", "D01", id=number(12)),
        lead("two", "B01", id=number(11)),
        lead("two", "X03", id=None),
        lead("three", "X03", id=None),
        lead("money", "I01", id=number(13)),
    ]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", flagged, families))
    county = desk.officer("xian1", "county", "440103")
    for family in ("whole", "both", "single"):
        for code in ("contacted", "signed", "applied") if family == "both" else ("applied",):
            fields = {"code": code, "contacted_on": "2026-07-01", "note": ""}
            county.done(case_of(desk, family).id, "outreach", fields)
    province = desk.officer("sheng", "province", "44")
    page = told_to(province, "/statistics")
    assert "3 户（9 人）已提出申请" in page and "被发现 4 户（11 人）" in page
    assert (
        "已联系 3 户（9 人）" in page and "已签授权 1 户（3 人）" in page and "不愿申请 0 户（0 人）" in page
    )
    # Two persons by their numbers, and two whom nobody can name.
    assert "4 户被提示其中按人核对的规则指到 4 人" in page
    month = told_to(province, "/statistics/bulletin?month=2026-07")
    assert "提出申请 3 户（9 人）" in month and "本月提示疑似不符 4 户，其中按人核对的规则指到 4 人" in month
    assert "提出申请 0 户（0 人）" in told_to(province, "/statistics/bulletin?month=2026-08")


def test_a_case_that_the_data_closed_is_not_counted_as_looked_into(desk):
    row = lead("H1", id=number(1), first="2026-06-30", no="440103-20260630-D-00001")
    desk.load(publish(desk.home, desk.ring, "2026-06-30", [row]))
    desk.load(publish(desk.home, desk.ring, "2026-07-01", [row | {"state": "cleared"}]))
    page = told_to(desk.officer("sheng", "province", "44"), "/statistics")
    assert "核实后维持或无需处理 0 户" in page and "数据更新后自动消除 1 户" in page


def run_portal(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m portal ARGUMENTS`, in this process: starting another costs more than most commands."""
    environment = {"HEDUI_HOME": str(home), "HEDUI_PORTAL_SECRET": "x" * 40}
    environment |= {"HEDUI_KEYRING": str(home.parent / "keys" / "ring.json")}
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            status = main(list(arguments))
        except SystemExit as refused:  # wrong arguments
            status = int(refused.code or 0)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def test_the_commands_load_make_accounts_save_and_bring_back(desk, tmp_path):
    publish(desk.home, desk.ring, "2026-06-30", [lead("H1", id=number(1))])
    told = run_portal(desk.home, "load")
    assert told.returncode == 0 and "1 rows, 1 new" in told.stdout, told.stderr
    made = run_portal(
        desk.home, "account", "--login", "guanli", "--name", "管理员", "--role", "admin", "--region", "44"
    )
    assert made.returncode == 0 and "first password" in made.stdout
    assert run_portal(desk.home, "backup", str(tmp_path / "b.zip")).returncode == 0
    (desk.home / "desk.sqlite").unlink()
    for rest in desk.home.glob("desk.sqlite-*"):
        rest.unlink()
    assert run_portal(desk.home, "restore", str(tmp_path / "b.zip")).returncode == 0
    assert "already loaded" in run_portal(desk.home, "load").stdout
    refused = run_portal(desk.home, "restore", str(tmp_path / "b.zip"))
    assert refused.returncode == 1 and "already holds rows" in refused.stderr


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_taken_port_is_named_before_anything_is_loaded(desk, way, monkeypatch):
    publish(desk.home, desk.ring, "2026-06-30", [lead("H1", id=number(1))])
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        monkeypatch.setenv("HEDUI_PORTAL_PORT", port if way == "variable" else "1")
        for command in ("demo", "serve"):
            told = run_portal(desk.home, command, *(("--port", port) if way == "option" else ()))
            assert told.returncode == 1 and f"port {port} of 127.0.0.1 is taken" in told.stderr, told
            assert "--port 8090" in told.stderr and "HEDUI_PORTAL_PORT=8090" in told.stderr
            assert "Errno" not in told.stderr and "密码" not in told.stdout
    assert not (desk.home / "desk.sqlite").exists()


def test_a_demonstration_does_not_open_somebodys_desk(desk):
    with open_machine_session(desk.engine) as db:
        before = db.scalars(select(func.count(User.id))).one()
    desk.hire("xian1", "county", "440103", totp_needed=True)
    with pytest.raises(NoDemonstration, match="1 accounts that no demonstration made"):
        make_accounts(desk.office)
    with open_machine_session(desk.engine) as db:
        assert db.scalars(select(func.count(User.id))).one() == before + 1


def test_an_account_made_while_trying_does_not_end_the_demonstration(desk):
    accounts, first = make_accounts(desk.office)
    desk.hire("zhang", "county", "440103", totp_needed=True)
    again, second = make_accounts(desk.office)
    assert accounts == again and first != second


def test_a_database_of_a_newer_desk_is_named(desk):
    publish(desk.home, desk.ring, "2026-06-30", [lead("H1", id=number(1))])
    assert run_portal(desk.home, "load").returncode == 0
    with closing(sqlite3.connect(desk.home / "desk.sqlite")) as newer, newer:
        newer.execute("update alembic_version set version_num = '9999'")
    told = run_portal(desk.home, "load")
    assert told.returncode == 1 and "of another version of the desk" in told.stderr and "9999" in told.stderr


def test_what_is_no_port_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HEDUI_PORTAL_PORT", "80800")
    assert "HEDUI_PORTAL_PORT is no port" in run_portal(tmp_path, "demo").stderr
    assert run_portal(tmp_path, "demo", "--port", "0").returncode == 2


def test_an_installation_without_a_secret_does_not_start(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEDUI_")} | {
        "HEDUI_HOME": str(tmp_path)
    }
    told = subprocess.run(
        [sys.executable, "-m", "portal", "load"], capture_output=True, text=True, env=environment, timeout=60
    )
    assert told.returncode == 1 and "HEDUI_PORTAL_SECRET" in told.stderr


def test_every_action_of_the_log_has_a_name_for_auditors():
    told = set(re.findall(r'"(?:desk\.)?([a-z_]+)" = ', (FOLDER / "actions.toml").read_text("utf-8")))
    written = set()
    for path in FOLDER.parent.rglob("*.py"):
        text = path.read_text("utf-8")
        written |= set(re.findall(r'desk\.record\(\s*"([a-z_]+)"', text))
        written |= set(re.findall(r'journal\.record\(\s*"([a-z_]+)"', text))
        written |= set(re.findall(r'tell\(\s*desk,\s*case,\s*"([a-z_]+)"', text))
    assert {"reveal", "decided", "night_loaded"} <= written
    assert written <= told


def test_open_cases_are_told_by_how_long_they_have_been_open(desk):
    rows = [lead(f"household-{at}", "A01", id=number(at)) for at in range(1, 3)]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", rows))
    ages = []
    for days in (0, 6, 7, 30, 60, 90):
        desk.clock.at = datetime(2026, 7, 2, 2, tzinfo=UTC) + timedelta(days=days)
        province = desk.officer("sheng", "province", "44")
        if days:
            province.sign_in()
        row = BeautifulSoup(province.get("/statistics").text, "html.parser").select_one("table tbody tr")
        ages.append([int(cell.text) for cell in row.find_all("td")][3:8])
    # Opened on 1 July; two cases, each in exactly one column.
    assert [age.index(2) for age in ages] == [0, 0, 1, 2, 3, 4]
