"""What the administrator does with accounts, and what becomes of the work of whoever goes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.schema import Case, User
from portal.scope import open_machine_session
from tests.portal.cases import KEEP, answer_all, case_of
from tests.portal.desks import refusal
from tests.portal.seats import Seat


@pytest.fixture
def keeper(loaded):
    return loaded.officer("guanli", "admin", "44")


def account(desk, login):
    with open_machine_session(desk.engine) as db:
        return db.scalars(select(User).where(User.login == login)).one()


def move(keeper, desk, login, role, region):
    fields = {"act": "move", "role": role, "region": region}
    return keeper.send(f"/users/{account(desk, login).id}", fields)


def give(desk, giver, household, login):
    giver.done(case_of(desk, household).id, "assign", {"assignee": account(desk, login).id})


def holder(desk, household):
    with open_machine_session(desk.engine) as db:
        case = select(Case.id, User.login).outerjoin(User, User.id == Case.assignee_id)
        return db.execute(case.where(Case.id == case_of(desk, household).id)).one()[1]


def test_an_officer_who_goes_to_another_county_leaves_the_open_cases_there(loaded, keeper, second):
    goes = loaded.officer("goes", "county", "440103")
    closed = answer_all(loaded, goes, "H2", "not_true")
    goes.done(closed, "decide", KEEP)
    for household in ("H1", "C1"):
        give(loaded, second, household, "goes")
    due = case_of(loaded, "H1").due_on
    told = move(keeper, loaded, "goes", "county", "440104")
    assert told.status_code == 200 and "不在新范围内的在办案件 2 件，已转为未分派" in told.text
    assert (holder(loaded, "H1"), holder(loaded, "C1"), holder(loaded, "H2")) == (None, None, "goes")
    assert (case_of(loaded, "H1").stage, case_of(loaded, "H1").due_on) == ("assigned", due)
    assert "承办人官员goes已调离或者停用，须重新分派" in second.get(f"/cases/{case_of(loaded, 'H1').id}").text
    # Out at once, and afterwards in the new county only.
    assert goes.get("/").headers["location"].startswith("/sign-in")
    goes.sign_in()
    shown = goes.read("/lists/discrepancies?view=all")
    assert "F1" in shown and "H1" not in shown and goes.get(f"/cases/{closed}").status_code == 404
    entry = next(e for e in loaded.office.journal.log.entries() if e.action == "desk.user_changed")
    assert (entry.actor, entry.detail["region_before"], entry.detail["region"]) == (
        "guanli",
        "440103",
        "440104",
    )
    assert entry.detail["given_back"] == 2


def test_a_closed_case_that_goes_on_does_not_go_back_to_who_left(loaded, keeper, second):
    goes = loaded.officer("goes", "county", "440103")
    closed = answer_all(loaded, goes, "H2", "not_true")
    goes.done(closed, "decide", KEEP)
    move(keeper, loaded, "goes", "county", "440104")
    second.done(closed, "reopen", {"reason": "新线索"})
    assert (holder(loaded, "H2"), case_of(loaded, "H2").stage) == (None, "returned")
    assert "须重新分派" in second.get(f"/cases/{closed}").text


def test_cases_the_new_place_reaches_stay(loaded, keeper, county):
    loaded.officer("zhen", "township", "440103001")
    give(loaded, county, "H1", "zhen")
    assert "在办案件 0 件" in move(keeper, loaded, "zhen", "county", "440103").text
    assert holder(loaded, "H1") == "zhen"
    give(loaded, county, "H2", "zhen")
    assert "在办案件 1 件" in move(keeper, loaded, "zhen", "township", "440103002").text
    assert (holder(loaded, "H1"), holder(loaded, "H2")) == (None, "zhen")
    assert "在办案件 1 件" in move(keeper, loaded, "zhen", "auditor", "440103").text
    assert holder(loaded, "H2") is None


def test_a_step_of_the_one_who_is_being_moved_does_not_undo_it(loaded, keeper, county):
    """The page of the case was opened before: whoever sends it is told that the case changed."""
    give(loaded, county, "H1", "xian1")
    case = case_of(loaded, "H1")
    colleague = loaded.officer("xian2", "county", "440103")
    move(keeper, loaded, "xian1", "county", "440104")
    late = colleague.send(f"/cases/{case.id}/note", {"version": case.version, "body": "旧页面"})
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("role", "region", "status", "why"),
    [
        ("county", "450103", 403, "本辖区"),
        ("county", "4401", 422, "6 位"),
        ("boss", "440104", 422, "角色"),
        ("county", "440103", 422, "相同"),
        ("county", "", 403, "本辖区"),
    ],
)  # fmt: skip
def test_a_move_that_cannot_be_changes_nothing(loaded, keeper, county, role, region, status, why):
    give(loaded, county, "H1", "xian1")
    refused = move(keeper, loaded, "xian1", role, region)
    assert refused.status_code == status and why in refusal(refused)
    assert (account(loaded, "xian1").region, holder(loaded, "H1")) == ("440103", "xian1")
    assert county.get("/").status_code == 200


def test_two_administrators_who_switch_the_same_account_off_switch_it_off(loaded, keeper, county):
    other = loaded.officer("guanli2", "admin", "4401")
    for one in (keeper, other):
        one.send(f"/users/{account(loaded, 'xian1').id}", {"act": "off"})
    assert not account(loaded, "xian1").active
    assert "启用 xian1" in keeper.get("/users").text
    keeper.send(f"/users/{account(loaded, 'xian1').id}", {"act": "on"})
    assert account(loaded, "xian1").active


def test_the_administrator_moves_an_officer_by_mouse(browser, loaded, keeper):
    loaded.officer("xian1", "county", "440103")
    seat = Seat(browser, loaded, "guanli")
    seat.open("/users")
    row = seat.page.locator("tr", has=seat.page.locator("th:text-is('xian1')"))
    row.locator("summary").click()
    row.get_by_label("新管辖范围").fill("440104")
    with seat.page.expect_navigation():
        row.get_by_role("button", name="调动 xian1 到新的角色和范围").click()
    assert "账号 xian1：已调动" in seat.told() and seat.complaints == []
    assert account(loaded, "xian1").region == "440104"
