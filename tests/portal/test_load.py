"""Nights come in one way: again and again without effect, never against an officer's work."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from pipelines.lists import ListBroken
from portal.load import NightOutOfOrder, load_new_nights, load_night
from portal.schema import Case, Event, Lead, LeadChange, Reply
from portal.scope import open_machine_session
from tests.portal.cases import KEEP, answer_all, case_of, leads_of, served_stop
from tests.portal.nights import lead, number, publish

H1 = dict(id=number(1), name="张三", first="2026-06-30", no="440103-20260630-D-00001")
H2 = dict(id=number(3), name="王五", town="002", first="2026-06-30", no="440103-20260630-D-00003")


def snapshot(desk):
    """Everything the desk knows of leads and cases, as text."""
    with open_machine_session(desk.engine) as db:
        leads = db.execute(select(*[column for column in Lead.__table__.columns]).order_by(Lead.id)).all()
        cases = db.execute(select(*[column for column in Case.__table__.columns]).order_by(Case.id)).all()
        counts = [db.scalars(select(func.count(table.id))).one() for table in (LeadChange, Event, Reply)]
    return str((leads, cases, counts))


def test_loading_the_same_night_again_changes_nothing(loaded):
    before = snapshot(loaded)
    assert loaded.load(__import__("datetime").date(2026, 6, 30)).repeated
    assert snapshot(loaded) == before


def test_no_name_and_no_number_lies_in_the_database(loaded, tmp_path):
    loaded.engine.dispose()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("desk.sqlite*"))
    assert b"H1" in content
    for secret in ("张三", "李四", number(1), number(2)):
        assert secret.encode() not in content


def test_leads_of_one_household_make_one_case_per_list(loaded):
    assert {lead.case_id for lead in leads_of(loaded, "H1")} == {case_of(loaded, "H1").id}
    assert case_of(loaded, "H1").stage == "routed"
    # Three working days from Wednesday 1 July 2026 (published at 04:00 Beijing time).
    assert case_of(loaded, "H1").due_on.isoformat() == "2026-07-06"


def test_a_night_updates_the_figures_and_leaves_the_answer(loaded, county):
    answer_all(loaded, county, "H2")
    loaded.load(
        publish(
            loaded.home, loaded.ring, "2026-07-01", [lead("H2", "I01", state="changed", value=61000, **H2)]
        )
    )
    found = leads_of(loaded, "H2")[0]
    assert (found.value_fen, found.reply_code, found.state) == (6_100_000, "confirmed", "changed")
    case = case_of(loaded, "H2")
    page = county.get(f"/cases/{case.id}").text
    assert "反馈之后数据有变化" in page
    refused = county.work(case.id, "decide", KEEP)
    assert refused.status_code == 422 and "数据又有变化" in refused.text


def test_a_decided_case_stays_decided_while_the_fact_is_the_same(loaded, county):
    case_id = answer_all(loaded, county, "H2", "not_true")
    county.done(case_id, "decide", KEEP)
    loaded.load(
        publish(loaded.home, loaded.ring, "2026-07-01", [lead("H2", "I01", state="continuing", **H2)])
    )
    assert case_of(loaded, "H2").id == case_id and case_of(loaded, "H2").outcome == "maintain"


def test_a_changed_fact_after_the_decision_begins_a_new_round(loaded, county):
    case_id = answer_all(loaded, county, "H2", "not_true")
    county.done(case_id, "decide", KEEP)
    loaded.load(
        publish(
            loaded.home, loaded.ring, "2026-07-01", [lead("H2", "I01", state="changed", value=70000, **H2)]
        )
    )
    fresh = case_of(loaded, "H2")
    assert (fresh.round, fresh.stage, fresh.id != case_id) == (2, "routed", True)
    assert case_of(loaded, "H2", 1).outcome == "maintain"
    assert leads_of(loaded, "H2")[0].reply_code is None
    with open_machine_session(loaded.engine) as db:
        assert db.scalars(select(func.count(Reply.id)).where(Reply.case_id == case_id)).one() == 1


def test_days_since_a_death_are_one_fact_however_many_nights_pass(loaded, county):
    case = case_of(loaded, "H1")
    death = next(found for found in leads_of(loaded, "H1") if found.rule == "D01")
    assert death.fact == "2026-05-16"
    county.done(case.id, "reply", {"lead": death.id, "code": "deceased", "note": "已核实"})
    later = lead(
        "H1", "D01", id=number(2), name="李四", value=46, line=0, state="changed", first="2026-06-30"
    )
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", [later]))
    assert next(found for found in leads_of(loaded, "H1") if found.rule == "D01").fact == "2026-05-16"
    assert "反馈之后数据有变化" not in county.get(f"/cases/{case.id}").text


def test_cleared_leads_close_an_untouched_case_but_not_a_worked_one(loaded, county):
    answer_all(loaded, county, "H2")
    cleared = [
        lead("H2", "I01", state="cleared", **H2),
        lead("H1", "A01", state="cleared", **H1),
        lead("H1", "D01", id=number(2), name="李四", value=46, line=0, state="cleared", first="2026-06-30"),
    ]
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", cleared))
    assert (case_of(loaded, "H1").stage, case_of(loaded, "H1").outcome) == ("closed", "cleared")
    assert case_of(loaded, "H2").stage == "replied"


def test_no_night_can_undo_an_adverse_decision(loaded, county, second):
    case_id = served_stop(loaded, county, second)
    loaded.load(
        publish(loaded.home, loaded.ring, "2026-07-01", [lead("H2", "I01", state="changed", value=1, **H2)])
    )
    assert (case_of(loaded, "H2").id, case_of(loaded, "H2").stage) == (case_id, "notified")


def test_a_night_published_anew_is_loaded_anew(loaded):
    """A lead that the new run no longer names is kept, marked as withdrawn, and off the list."""
    loaded.load(publish(loaded.home, loaded.ring, "2026-06-30", [lead("H2", "I01", **H2)], run="r2"))
    assert {found.state for found in leads_of(loaded, "H1")} == {"withdrawn"}
    assert leads_of(loaded, "H2")[0].state == "new"


def test_an_older_night_is_refused(loaded):
    with pytest.raises(NightOutOfOrder):
        loaded.load(publish(loaded.home, loaded.ring, "2026-06-29", [lead("H9")]))


def test_a_list_that_is_not_the_published_one_is_refused(loaded):
    as_of = publish(loaded.home, loaded.ring, "2026-07-01", [lead("H9")])
    path = loaded.home / "nights" / "2026-07-01-r1" / "discrepancies.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ListBroken):
        load_night(loaded.home, as_of, loaded.engine, loaded.ring)
    assert len(leads_of(loaded, "H9")) == 0


def test_all_nights_since_the_last_are_loaded_in_order(loaded):
    publish(loaded.home, loaded.ring, "2026-07-02", [lead("H9")])
    publish(loaded.home, loaded.ring, "2026-07-01", [lead("H8")])
    told = load_new_nights(loaded.home, loaded.engine, loaded.ring)
    assert [(report.as_of.isoformat(), report.repeated) for report in told] == [
        ("2026-06-30", True), ("2026-07-01", False), ("2026-07-02", False),
    ]  # fmt: skip


def test_persons_stay_one_person_when_the_key_is_rotated(loaded, county):
    before = leads_of(loaded, "H2")[0].person
    loaded.ring.rotate()
    loaded.load(
        publish(loaded.home, loaded.ring, "2026-07-01", [lead("H2", "I01", state="continuing", **H2)])
    )
    assert leads_of(loaded, "H2")[0].person == before
    assert "王五" in county.get("/lists/discrepancies").text


def test_a_household_that_moved_is_read_where_it_lives_now(loaded, county):
    case_id = answer_all(loaded, county, "H2")
    county.done(case_id, "note", {"body": "转交"})
    moved = lead("H2", "I01", state="continuing", **(H2 | {"town": "001"}))
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", [moved]))
    here = loaded.officer("town1", "township", "440103001")
    there = loaded.officer("town2", "township", "440103002")
    assert "转交" in here.get(f"/cases/{case_id}").text
    assert there.get(f"/cases/{case_id}").status_code == 404
