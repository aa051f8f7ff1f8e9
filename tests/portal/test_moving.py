"""A household that moved: its whole file is read where it lives now, and nowhere else below the city."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from pipelines.suppressions import read_suppressions
from portal.schema import Case, Lead, LeadChange, Suppression
from portal.scope import open_machine_session
from tests.portal.cases import KEEP, VISIT, answer_all, case_of, leads_of
from tests.portal.nights import household, lead, number, publish

M1 = dict(id=number(1), name="吴九", first="2026-06-30", no="440103-20260630-D-00001")
NEW = {"county": "440104", "town": "005"}


@pytest.fixture
def old(desk):
    return desk.officer("old", "county", "440103")


@pytest.fixture
def new(desk):
    return desk.officer("new", "county", "440104")


def night(desk, as_of, *rows, newly=(), roster=None, **told):
    return desk.load(publish(desk.home, desk.ring, as_of, rows, newly, roster=roster, **told))


def decided_and_cleared(desk, old):
    """A household whose only case was worked and closed in the old county, and whose lead is gone. Its case."""
    night(desk, "2026-06-30", lead("M1", **M1), roster=[household("M1")])
    case_id = answer_all(desk, old, "M1", "not_true")
    old.done(case_id, "visit", VISIT)
    old.done(case_id, "note", {"body": "钱是代人保管"})
    old.done(case_id, "decide", KEEP)
    night(desk, "2026-07-01", lead("M1", state="cleared", **M1), roster=[household("M1")])
    return case_id


def seen_by(officer, case_id, lead_id):
    """What an officer is shown of the case: its page, the dossier, the search, the list and the sheet."""
    sheet = officer.send("/lists/discrepancies/download?view=all", {"format": "csv"}).text
    found = officer.send("/lists/discrepancies/search", {"typed": number(1)}).headers["location"]
    pages = [f"/cases/{case_id}", f"/people/{lead_id}", found, "/lists/discrepancies?view=all"]
    return [officer.get(path).status_code == 200 and "吴九" in officer.get(path).text for path in pages] + [
        "吴九" in sheet
    ]


def test_a_closed_case_moves_with_a_household_that_has_no_leads_left(desk, old, new):
    case_id, lead_id = decided_and_cleared(desk, old), leads_of(desk, "M1")[0].id
    assert (seen_by(old, case_id, lead_id), seen_by(new, case_id, lead_id)) == ([True] * 5, [False] * 5)
    assert night(desk, "2026-07-02", roster=[household("M1", **NEW)]).moved == 1
    assert (seen_by(old, case_id, lead_id), seen_by(new, case_id, lead_id)) == ([False] * 5, [True] * 5)
    page = new.get(f"/cases/{case_id}").text
    assert "钱是代人保管" in page and "见到本人" in page and "存款系救灾补助" in page
    assert "家庭由乡镇 440103001 迁来" in page and case_of(desk, "M1").outcome == "maintain"
    # Above both nothing is lost, and the household is counted once.
    city = desk.officer("shi", "city", "4401")
    assert city.get(f"/cases/{case_id}").status_code == 200
    assert "已办结 <b>1</b>" in city.get("/lists/discrepancies").text


def test_what_the_old_county_did_stays_in_its_log(desk, old, new):
    decided_and_cleared(desk, old)
    night(desk, "2026-07-02", roster=[household("M1", **NEW)])
    of_old, of_new = (desk.officer(f"a{county}", "auditor", county) for county in ("440103", "440104"))
    assert "作出决定" in of_old.get("/audit?kind=decided").text
    assert not re.search(r"<td>old</td>", of_new.get("/audit?kind=decided").text)


def test_nothing_moves_twice_and_nothing_of_others_moves(desk, old):
    case_id = decided_and_cleared(desk, old)
    stay = lead("S1", id=number(2), name="留下", no="440103-20260702-D-00001")
    for as_of in ("2026-07-02", "2026-07-03"):
        night(desk, as_of, stay | {"first": "2026-07-02"}, roster=[household("M1", **NEW), household("S1")])
    with open_machine_session(desk.engine) as db:
        places = {row[0]: row[1] for row in db.execute(select(Case.household_id, Case.township_code))}
    assert places == {"M1": "440104005", "S1": "440103001"}
    assert desk.officer("new", "county", "440104").get(f"/cases/{case_id}").text.count("迁来") == 1


def test_every_round_moves(desk, old, new):
    first = decided_and_cleared(desk, old)
    again = dict(id=number(1), name="吴九", no="440103-20260702-D-00001")
    night(desk, "2026-07-02", lead("M1", **again), roster=[household("M1")])
    second = case_of(desk, "M1").id
    moved = lead("M1", state="continuing", first="2026-07-02", **again, **NEW)
    night(desk, "2026-07-03", moved, roster=[household("M1", **NEW)])
    assert [new.get(f"/cases/{case}").status_code for case in (first, second)] == [200, 200]
    assert [old.get(f"/cases/{case}").status_code for case in (first, second)] == [404, 404]


def test_a_new_finding_in_the_new_county_is_seen_there(desk, old, new):
    """The case of the old county is worked and not closed, and its leads are gone: the finding joins it."""
    night(desk, "2026-06-30", lead("M1", **M1))
    case_id = answer_all(desk, old, "M1")
    night(desk, "2026-07-01", lead("M1", state="cleared", **M1))
    night(desk, "2026-07-02", lead("M1", "I01", id=number(1), name="吴九", **NEW))
    assert case_of(desk, "M1").id == case_id
    shown = new.get("/lists/discrepancies")
    assert "440104-20260702-D-00001" in shown.text and "待办 <b>1</b>" in shown.text
    assert "核实过" in new.get(f"/cases/{case_id}").text
    assert "M1" not in old.read("/lists/discrepancies?view=all")


def test_what_an_earlier_night_found_does_not_draw_it_back(desk, old, new):
    """A row that could not be judged tonight still names the place it was found in."""
    night(desk, "2026-06-30", lead("M1", **M1), roster=[household("M1")])
    for at, as_of in enumerate(("2026-07-01", "2026-07-02")):
        roster = [household("M1", **NEW)] if at == 0 else None
        night(desk, as_of, lead("M1", state="unverified", **M1), roster=roster)
        assert leads_of(desk, "M1")[0].township_code == "440104005"
    assert "D-00001" in new.get("/lists/discrepancies").text
    assert "D-00001" not in old.get("/lists/discrepancies?view=all").text


def test_a_first_night_that_could_judge_nothing_is_shown_where_it_says(desk, old):
    night(desk, "2026-06-30", lead("M1", state="unverified", **M1))
    assert "D-00001" in old.get("/lists/discrepancies").text


def test_the_roster_tells_nothing_of_a_monitored_household_with_the_same_number(desk, old):
    family = lead("M1", "N01", id=number(5), name="孙七")
    night(desk, "2026-06-30", newly=[family], roster=[household("M1", **NEW)])
    assert "孙七" in old.get("/lists/newly-eligible").text


def test_an_explanation_goes_along_and_still_holds(desk, old, new):
    night(desk, "2026-06-30", lead("M1", **M1), roster=[household("M1")])
    kept = {"lead": leads_of(desk, "M1")[0].id, "code": "exempt", "reason": "救灾补助", "until": "2027-06-30"}
    old.done(case_of(desk, "M1").id, "suppress", kept)
    moved = lead("M1", state="continuing", **M1, **NEW)
    night(desk, "2026-07-01", moved, roster=[household("M1", **NEW)])
    assert "已说明 <b>1</b>" in new.get("/lists/discrepancies").text
    assert "救灾补助" in new.get(f"/cases/{case_of(desk, 'M1').id}").text
    assert len(read_suppressions(desk.home, desk.ring).entries) == 1
    with open_machine_session(desk.engine) as db:
        for table in (Suppression, LeadChange, Lead):
            assert set(db.scalars(select(table.county_code))) == {"440104"}, table


def test_a_page_opened_before_the_move_writes_nothing(desk, old):
    """Within the county the officer still sees the case, and is told that it changed."""
    night(desk, "2026-06-30", lead("M1", **M1))
    case = case_of(desk, "M1")
    night(desk, "2026-07-01", lead("M1", state="continuing", **(M1 | {"town": "002"})))
    late = old.send(f"/cases/{case.id}/note", {"version": case.version, "body": "旧页面"})
    assert late.status_code == 409
    old.done(case.id, "note", {"body": "新页面"})
