"""A night, a colleague or an objection comes between two steps: nothing is lost and nobody signs what no longer holds."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import event, select

from portal.schema import Decision, User
from portal.scope import open_machine_session
from tests.portal.cases import KEEP, STOP, VISIT, answer_all, case_of, leads_of, served_stop
from tests.portal.nights import lead, number, publish

H2 = dict(id=number(3), name="王五", town="002", first="2026-06-30", no="440103-20260630-D-00003")
LATER = dict(id=number(3), name="王五", town="002", no="440103-20260701-D-00002")


def night(desk, as_of, *rows):
    desk.load(publish(desk.home, desk.ring, as_of, rows))


def proposed_stop(desk, officer):
    case_id = answer_all(desk, officer, "H2")
    officer.done(case_id, "visit", VISIT)
    officer.done(case_id, "decide", STOP)
    return case_id


def test_a_finding_that_came_after_the_decision_has_a_round_of_its_own(loaded, county, second):
    """It was never answered: closing the case it joined must not close it."""
    case_id = served_stop(loaded, county, second)
    old, new = lead("H2", "I01", state="continuing", **H2), lead("H2", "A01", **LATER)
    night(loaded, "2026-07-01", old, new)
    assert {found.case_id for found in leads_of(loaded, "H2")} == {case_id}
    loaded.clock.forward(days=20)
    county.sign_in()
    county.done(case_id, "close")
    again = new | {"state": "continuing", "first": "2026-07-01"}
    night(loaded, "2026-07-21", old, again)
    decided, waiting = sorted(leads_of(loaded, "H2"), key=lambda found: found.lead_no)
    fresh = case_of(loaded, "H2")
    assert (fresh.round, fresh.stage, waiting.case_id, decided.case_id) == (2, "routed", fresh.id, case_id)
    assert waiting.lead_no in county.get("/lists/discrepancies").text
    night(loaded, "2026-07-22", old, again)
    assert case_of(loaded, "H2").id == fresh.id


@pytest.mark.parametrize(
    ("tonight", "why"),
    [
        (lead("H2", "I01", state="changed", value=61000, **H2), "数据又有变化"),
        (lead("H2", "I01", state="cleared", **H2), "没有一条线索核实为属实"),
    ],
)
def test_nobody_signs_what_the_data_no_longer_say(loaded, county, second, tonight, why):
    case_id = proposed_stop(loaded, county)
    night(loaded, "2026-07-01", tonight)
    refused = second.work(case_id, "second", {"answer": "agree"})
    assert refused.status_code == 422 and why in refused.text
    with open_machine_session(loaded.engine) as db:
        assert db.execute(select(Decision.state, Decision.second_id)).one() == ("proposed", None)
    second.done(case_id, "second", {"answer": "return", "note": "数据已变"})


def explained(desk, officer):
    """Of household H1 the account is explained and the death confirmed; its case and the explained lead."""
    case_id = case_of(desk, "H1").id
    account, death = leads_of(desk, "H1")
    kept = {"lead": account.id, "code": "exempt", "reason": "救灾补助", "until": "2027-06-30"}
    officer.done(case_id, "suppress", kept)
    officer.done(case_id, "reply", {"lead": death.id, "code": "deceased", "note": ""})
    return case_id, account.id


def test_an_explanation_is_not_taken_back_in_the_midst_of_a_decision(loaded, county, second):
    case_id, account = explained(loaded, county)
    county.done(case_id, "visit", VISIT)
    county.done(case_id, "decide", STOP | {"code": "decrease"})
    refused = county.work(case_id, "lift", {"lead": account})
    assert refused.status_code == 422 and "待第二人复核" in refused.text
    assert "撤销说明" not in county.get(f"/cases/{case_id}").text
    second.done(case_id, "second", {"answer": "agree"})
    county.done(case_id, "serve", {"served_on": "2026-07-01", "service": "in_person"})
    assert county.work(case_id, "lift", {"lead": account}).status_code == 422
    loaded.clock.forward(days=20)
    county.sign_in()
    county.done(case_id, "close")
    # One person's step does not undo what two decided without a word.
    refused = county.work(case_id, "lift", {"lead": account})
    assert refused.status_code == 422 and "请先“重新办理”" in refused.text
    county.done(case_id, "reopen", {"reason": "补充材料"})
    county.done(case_id, "lift", {"lead": account})


def test_taking_back_an_explanation_takes_a_closed_case_up_again(loaded, county):
    case_id, account = explained(loaded, county)
    county.done(case_id, "decide", KEEP)
    county.done(case_id, "lift", {"lead": account})
    assert (case_of(loaded, "H1").stage, case_of(loaded, "H1").outcome) == ("returned", None)
    with open_machine_session(loaded.engine) as db:
        assert db.scalars(select(Decision.state)).all() == ["withdrawn"]


def test_a_case_can_be_given_to_another_at_every_stage_but_the_last(loaded, county, second):
    with open_machine_session(loaded.engine) as db:
        other = db.scalars(select(User.id).where(User.login == "xian2")).one()
    case_id = proposed_stop(loaded, county)
    for step, fields in (
        ("second", {"answer": "agree"}),
        ("serve", {"served_on": "2026-07-01", "service": "in_person"}),
        ("object", {"raised_on": "2026-07-01", "grounds": "不服"}),
    ):
        stage = case_of(loaded, "H2").stage
        second.done(case_id, "assign", {"assignee": other})
        assert case_of(loaded, "H2").stage == stage
        second.done(case_id, step, fields)


def test_a_family_that_receives_nothing_has_nothing_to_be_stopped(loaded, county):
    case_id = answer_all(loaded, county, "C1", "deceased")
    county.done(case_id, "visit", VISIT)
    refused = county.work(case_id, "decide", STOP)
    assert refused.status_code == 422 and "不适用于这份清单" in refused.text
    assert "停发（终止）" not in county.get(f"/cases/{case_id}").text


def test_the_days_of_a_notice_and_an_objection_are_in_their_order(loaded, county, second):
    third = loaded.officer("xian3", "county", "440103")
    case_id = served_stop(loaded, county, second)
    early = {"raised_on": "2026-06-30", "grounds": "不服"}
    refused = county.work(case_id, "object", early)
    assert refused.status_code == 422 and "决定之后" in refused.text
    county.done(case_id, "object", early | {"raised_on": "2026-07-01"})
    loaded.clock.forward(days=5)
    for officer in (county, third):
        officer.sign_in()
    third.done(case_id, "resolve", {"answer": "rejected", "result": "流水显示本人使用"})
    # The answer to the objection cannot have reached the family before it was there.
    refused = county.work(case_id, "serve", {"served_on": "2026-07-02", "service": "post"})
    assert refused.status_code == 422 and "复查结论" in refused.text
    county.done(case_id, "serve", {"served_on": "2026-07-06", "service": "post"})


@contextmanager
def another_writer(desk):
    """Somebody holds SQLite's one place to write, as a night does while it is loaded."""
    with closing(sqlite3.connect(desk.engine.url.database, isolation_level=None)) as night:
        night.execute("BEGIN IMMEDIATE")
        yield
        night.execute("ROLLBACK")


def test_reading_goes_on_while_a_night_is_loaded(loaded, county):
    """Also a minute later, when the click would be noted."""
    loaded.clock.forward(minutes=5)
    with another_writer(loaded):
        began = time.monotonic()
        for path in ("/lists/discrepancies", "/cases/1"):
            assert county.get(path).status_code == 200
        assert time.monotonic() - began < 10
    # Noted again as soon as it can be.
    for _ in range(2):
        loaded.clock.forward(minutes=20)
        assert county.get("/").status_code == 200


def test_what_cannot_be_saved_while_a_night_is_loaded_is_shown_again(loaded, county):
    @event.listens_for(loaded.engine, "checkout")
    def wait_less(connection, *_):
        connection.execute("PRAGMA busy_timeout = 200")

    note = {"body": "户主说存款是代人保管的"}
    with another_writer(loaded):
        busy = county.work(1, "note", note)
        assert busy.status_code == 503 and "暂时不能保存" in busy.text and note["body"] in busy.text
        assert "系统出错" not in busy.text and 'href="/cases/1"' in busy.text
    county.done(1, "note", note)
