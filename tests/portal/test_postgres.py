"""The production database: one whole journey on a real PostgreSQL."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from portal.backup import back_up, restore
from portal.database import hold_cases, open_database
from tests.portal import test_sheets
from tests.portal.cases import answer_all, case_of, leads_of, served_stop
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk
from tests.portal.nights import lead, number, publish
from tests.portal.postgres import fresh_database, serve_postgres


@pytest.fixture(scope="module")
def postgres():
    with serve_postgres() as server:
        yield server


def test_the_whole_journey(postgres, tmp_path):
    with serve_desk(tmp_path, database=fresh_database(postgres, "desk")) as desk:
        assert (load_sample(desk).new, desk.load(__import__("datetime").date(2026, 6, 30)).repeated) == (
            6,
            True,
        )
        county = desk.officer("xian1", "county", "440103")
        second = desk.officer("xian2", "county", "440103")
        far = desk.officer("far", "county", "440104")
        assert "D-00001" in county.get("/lists/discrepancies").text
        assert far.get(f"/cases/{case_of(desk, 'H1').id}").status_code == 404
        served_stop(desk, county, second)
        book, *_ = test_sheets.fill(
            test_sheets.take(county), {found.lead_no: ("属实", "x") for found in leads_of(desk, "H1")}
        )
        assert test_sheets.send_back(county, book) == (2, [])
        case = case_of(desk, "C1")
        form = {"version": case.version, "code": "contacted", "contacted_on": "2026-07-01", "note": ""}
        both = [officer.send(f"/cases/{case.id}/outreach", form).status_code for officer in (county, second)]
        assert both == [303, 409]
        found = leads_of(desk, "H1")[0]
        county.done(
            found.case_id,
            "suppress",
            {"lead": found.id, "code": "exempt", "reason": "r", "until": "2027-01-01"},
        )
        same = lead(
            "H1", "A01", id=number(1), name="张三", state="continuing", first="2026-06-30", no=found.lead_no
        )
        desk.load(publish(desk.home, desk.ring, "2026-07-01", [same]))
        assert "已说明 <b>1</b>" in county.get("/lists/discrepancies").text
        for path in (
            "/",
            "/statistics",
            "/statistics/bulletin?month=2026-06",
            "/coverage",
            f"/people/{found.id}",
        ):
            assert county.get(path).status_code == 200, path
        auditor = desk.officer("shenji", "auditor", "44")
        assert auditor.get("/audit").status_code == 200

        rows = back_up(desk.engine, tmp_path / "b.zip")
        other = open_database(fresh_database(postgres, "other"))
        assert restore(other, tmp_path / "b.zip") == rows
        small = open_database(f"sqlite:///{tmp_path / 'small.sqlite'}")
        assert restore(small, tmp_path / "b.zip") == rows
        with other.begin() as connection:
            connection.execute(text("insert into attempts (origin, at) values ('x', now())"))
            next_id = connection.execute(
                text("select nextval(pg_get_serial_sequence('events', 'id'))")
            ).scalar_one()
            assert next_id > connection.execute(text("select max(id) from events")).scalar_one()
        other.dispose()
        small.dispose()


def test_at_the_same_moment_only_one_gets_through(postgres, tmp_path):
    with serve_desk(tmp_path, database=fresh_database(postgres, "race")) as desk:
        load_sample(desk)
        county = desk.officer("xian1", "county", "440103")
        case = case_of(desk, "H2")
        form = {
            "csrf": county.csrf(),
            "version": case.version,
            "lead": leads_of(desk, "H2")[0].id,
            "code": "confirmed",
            "note": "",
        }
        with ThreadPoolExecutor(6) as pool:
            answers = list(
                pool.map(
                    lambda _: county.web.post(f"/cases/{case.id}/reply", data=form).status_code, range(6)
                )
            )
        assert sorted(answers) == [303] + [409] * 5
        assert answer_all


def test_wrong_passwords_at_the_same_moment_are_each_counted(postgres, tmp_path):
    with serve_desk(tmp_path, database=fresh_database(postgres, "guess")) as desk:
        guessed = desk.hire("xian1", "county", "440103")
        form = {"csrf": guessed.csrf("/sign-in"), "login": "xian1", "password": "Wrong-Horse-7-Staple"}
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: guessed.web.post("/sign-in", data=form).status_code, range(6)))
        assert answers == [401] * 6
        # Five and no more: the right one is of no use either.
        assert guessed.sign_in().status_code == 401


def test_a_login_taken_at_the_same_moment_is_refused_kindly(postgres, tmp_path):
    with serve_desk(tmp_path, database=fresh_database(postgres, "logins")) as desk:
        keeper = desk.officer("guanli", "admin", "44")
        form = {
            "csrf": keeper.csrf(),
            "login": "xin",
            "display_name": "新人",
            "role": "county",
            "region": "440103",
        }
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: keeper.web.post("/users", data=form), range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] + [422] * 5
        assert all("已有人使用" in answer.text for answer in answers if answer.status_code == 422)


def test_a_night_that_comes_into_an_upload_is_waited_for(postgres, tmp_path):
    """The row is judged by what the lead is when the night is over, and nothing is answered to another fact."""
    with serve_desk(tmp_path, database=fresh_database(postgres, "night")) as desk:
        load_sample(desk)
        county = desk.officer("xian1", "county", "440103")
        answers = {
            found.lead_no: ("属实", "x") for household in ("H1", "H2") for found in leads_of(desk, household)
        }
        book, *_ = test_sheets.fill(test_sheets.take(county), answers)
        with ThreadPoolExecutor(1) as pool, desk.engine.connect() as night:
            hold_cases(night)
            returned = pool.submit(test_sheets.send_back, county, book)
            wait_until_somebody_waits(desk.engine)
            night.execute(
                text(
                    "update leads set fact = '1', version = version + 1 where lead_no = '440103-20260630-D-00001'"
                )
            )
            night.commit()
            taken, refused = returned.result(timeout=30)
        assert (taken, [row[1] for row in refused]) == (2, ["440103-20260630-D-00001"])
        assert "重新下载" in refused[0][3] and leads_of(desk, "H1")[0].reply_code is None


def wait_until_somebody_waits(engine):
    waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
    for _ in range(200):
        with engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
        time.sleep(0.05)
    raise AssertionError("nobody waited for the night")
