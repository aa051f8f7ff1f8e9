"""Every page for every role and place: nothing foreign, ever, and a foreign number is the same as an unknown one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

import portal
from portal.permissions import MAY, may
from portal.routing import PAGES
from portal.schema import Case, Lead
from portal.scope import SessionWithoutScope, Viewer, open_session
from tests.portal.cases import answer_all, case_of, leads_of
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk
from tests.portal.nights import lead, number, publish

PLACES = {
    "own": ("county", "440103"),
    "neighbour": ("county", "440104"),
    "township": ("township", "440103001"),
    "next_township": ("township", "440103002"),
    "city": ("city", "4401"),
    "other_city": ("city", "4402"),
    "province": ("province", "44"),
    "auditor": ("auditor", "44"),
    "admin": ("admin", "44"),
}
# Who sees household H1 (county 440103, township 001).
SEES_H1 = {"own", "township", "city", "province"}
SECRETS = ("H1", "张三", "李四", "0010", "D-00001", "D-00002")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    with serve_desk(tmp_path_factory.mktemp("scope")) as served:
        load_sample(served)
        yield served


@pytest.fixture(scope="module")
def everyone(loaded):
    return {who: loaded.officer(f"u_{who}", *place) for who, place in PLACES.items()}


def address(path: str, case: int, lead: int) -> str:
    for name, value in {"case_id:int": case, "lead_id:int": lead, "household_id:int": 1, "attachment_id:int": 1, "user_id:int": 999_999,
                        "slug": "discrepancies", "as_of": "2026-06-30"}.items():  # fmt: skip
        path = path.replace(f"{{{name}}}", str(value))
    assert "{" not in path, f"{path} has a parameter this test does not know"
    return path


def test_every_page_is_tried_by_every_role_and_shows_nothing_foreign(loaded, everyone):
    case, lead = case_of(loaded, "H1").id, leads_of(loaded, "H1")[0].id
    everyone["own"].done(case, "attach", files={"file": ("a.pdf", b"%PDF-1.7 x")})
    tried = 0
    for page in PAGES:
        if page.may is None or page.path in ("/sign-out", "/account/password"):
            continue
        for who, officer in everyone.items():
            role = PLACES[who][0]
            path = address(page.path, case, lead)
            answer = (
                officer.get(path)
                if page.method == "GET"
                else officer.send(path, {"version": 1, "format": "csv"})
            )
            tried += 1
            assert answer.status_code < 500, (page, who, answer.text)
            if not may(role, page.may):
                assert answer.status_code == 403, (page, who)
            elif {"case_id:int", "lead_id:int", "household_id:int"} & set(
                re.findall(r"{([^}]+)}", page.path)
            ):
                assert (answer.status_code == 404) == (who not in SEES_H1), (page, who, answer.status_code)
            if who not in SEES_H1:
                # A form's token is random: "H1" may stand in it.
                told = re.sub(r'name="csrf" value="[^"]*"', "", answer.text)
                assert not [secret for secret in SECRETS if secret in told], (page, who)
    assert tried > 350


def test_without_signing_in_every_page_leads_to_the_sign_in(loaded):
    nobody = loaded.hire("nobody", "county", "440103")
    for page in PAGES:
        if page.may is None:
            continue
        path = address(page.path, 1, 1)
        answer = nobody.get(path) if page.method == "GET" else nobody.web.post(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), page


def test_a_foreign_case_and_an_unknown_one_give_the_same_answer(loaded, everyone):
    foreign = everyone["neighbour"].get(f"/cases/{case_of(loaded, 'H1').id}")
    unknown = everyone["neighbour"].get("/cases/987654321")
    huge = everyone["neighbour"].get(f"/cases/{10**30}")
    assert (
        (foreign.status_code, foreign.text)
        == (unknown.status_code, unknown.text)
        == (huge.status_code, huge.text)
    )
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    "query",
    ["", "?view=all", "?view=all&county=440103", "?view=all&township=440103001", "?view=all&rule=D01"],
)
def test_lists_downloads_and_counts_stay_in_the_own_place(loaded, everyone, query):
    for who, officer in everyone.items():
        if not may(PLACES[who][0], "read_cases"):
            continue
        shown = officer.get(f"/lists/discrepancies{query}").text
        rows = set(re.findall(r"440\d{3}-20260630-D-\d{5}", shown))
        total = int(re.search(r"<p><b>(\d+)</b> 条线索", shown)[1])
        sheet = officer.send(f"/lists/discrepancies/download{query}", {"format": "csv"}).content.decode(
            "utf-8-sig"
        )
        region = PLACES[who][1]
        expected = {lead.lead_no for household in ("H1", "H2", "F1") for lead in leads_of(loaded, household)
                    if lead.township_code.startswith(region)}  # fmt: skip
        assert rows <= expected and total == len(rows) == len(sheet.splitlines()) - 1, (who, query)


def test_search_by_number_and_name_finds_only_the_own_place(loaded, everyone):
    for typed in (number(1), "张三", "440103-20260630-D-00001", "H1"):
        for who in ("own", "neighbour"):
            away = everyone[who].send("/lists/discrepancies/search", {"typed": typed})
            assert typed == "H1" or typed.startswith("440103-") or typed not in away.headers["location"]
            shown = everyone[who].get(away.headers["location"]).text
            assert ("D-00001" in shown and "张三" in shown) == (who == "own"), (typed, who)


def test_roles_above_the_county_see_no_names_and_no_free_text(loaded, everyone):
    case = case_of(loaded, "H1").id
    everyone["own"].done(case, "note", {"body": "张三的女儿在外地"})
    for who in ("city", "province"):
        page = everyone[who].get(f"/cases/{case}").text
        sheet = everyone[who].send("/lists/discrepancies/download", {"format": "csv"}).text
        assert "张三" not in page + sheet and "女儿" not in page and "张*" in page
        assert "查看号码" not in page


def test_the_scope_reaches_every_kind_of_query(loaded):
    viewer = Viewer(1, "x", "x", "county", "440104")
    with open_session(loaded.engine, viewer) as db:
        assert db.scalars(select(func.count(Lead.id))).one() == 2
        assert db.scalars(select(func.count()).select_from(Lead)).one() == 2
        assert {row[0] for row in db.execute(select(Lead.household_id))} == {"F1", "F2"}
        assert db.get(Case, case_of(loaded, "H1").id) is None
        assert db.execute(select(Case, Lead).join(Lead, Lead.case_id == Case.id)).all().__len__() == 2
        inner = select(Lead.case_id).where(Lead.household_id == "H1").scalar_subquery()
        assert db.scalars(select(func.count()).select_from(select(Lead.id).subquery())).one() == 2
        assert db.scalars(select(Case.id).where(Case.id == inner)).all() == []
        assert db.execute(select(func.max(Lead.id)).where(Lead.household_id == "H1")).scalar() is None
    for region in ("", "44010x", "%"):
        with open_session(loaded.engine, Viewer(1, "x", "x", "county", region)) as db:
            assert db.scalars(select(Lead.id)).all() == []


def test_a_session_that_nobody_scoped_is_refused(loaded):
    from sqlalchemy.orm import Session

    with Session(loaded.engine) as db, pytest.raises(SessionWithoutScope):
        db.scalars(select(Lead)).all()


def test_pages_cannot_step_around_the_scope():
    """No page reaches below the mapped classes, where the scope would not see it."""
    folder = Path(portal.__file__).parent
    watched = [*folder.glob("pages/*.py"), *folder.glob("work/*.py"), folder / "listing.py", folder / "sheet.py", folder / "roundtrip.py",
               folder / "dossier.py", folder / "statistics.py", folder / "helped.py", folder / "coverage.py"]  # fmt: skip
    assert len(watched) > 15
    for path in watched:
        text = path.read_text()
        assert not re.search(
            r"__table__|(?<!\.)\btext\(\"|exec_driver|open_machine_session|\.connection\(", text
        ), path


def test_administrators_and_auditors_cannot_do_case_work():
    for role in ("auditor", "admin", "city", "province"):
        assert not MAY[role] & {"decide", "second", "reply", "reveal", "see_people", "suppress", "assign"}


def test_an_administrator_reaches_only_accounts_of_the_own_region(loaded):
    keeper = loaded.officer("keeper", "admin", "440104")
    loaded.officer("xian1", "county", "440103")
    assert "xian1" not in keeper.get("/users").text
    refused = keeper.send(
        "/users", {"login": "spy", "display_name": "某", "role": "county", "region": "440103"}
    )
    assert refused.status_code == 403


def offered(officer, query=""):
    page = BeautifulSoup(officer.get(f"/lists/discrepancies{query}").text, "html.parser")
    return {option["value"]: option.text for option in page.select("select[name=assignee] option")}


def test_the_assignee_filter_offers_the_officers_of_the_own_place_and_nobody_else(loaded, everyone):
    def names(who, query=""):
        return {
            text.split("（")[0]
            for value, text in offered(everyone[who], query).items()
            if value.isdigit() and text.startswith("官员u_")
        }

    own, foreign = {"官员u_own", "官员u_township", "官员u_next_township"}, {"官员u_neighbour"}
    assert names("own") == own and names("neighbour") == foreign
    assert names("township") == {"官员u_own", "官员u_township"}
    # Above the county, the officers of the county that was chosen, if it is one of the own.
    assert names("province") == set()
    assert names("province", "?county=440104") == names("city", "?county=440104") == foreign
    assert names("own", "?county=440104") == set()
    theirs = next(value for value in offered(everyone["neighbour"]) if value.isdigit())
    assert offered(everyone["own"], f"?assignee={theirs}")[theirs] == "其他人员"
    assert names("other_city", "?county=440103") == set()


def test_the_assignee_filter_finds_the_officers_rows_and_keeps_the_choice(loaded, everyone):
    own = everyone["own"]
    case = case_of(loaded, "H1").id
    me = next(value for value, text in offered(own).items() if text.startswith("官员u_own"))
    own.done(case, "assign", {"assignee": me})
    page = BeautifulSoup(own.get(f"/lists/discrepancies?assignee={me}").text, "html.parser")
    assert {link.text for link in page.select("table.leads th a")} == {
        lead.lead_no for lead in leads_of(loaded, "H1")
    }
    assert page.select_one("select[name=assignee] option[selected]")["value"] == me
    assert f"assignee={me}" in page.select_one("nav.tabs a")["href"]


def test_a_case_that_moved_away_waits_for_an_officer_of_its_new_place(desk):
    row = {"id": number(9), "name": "吴九"}
    desk.load(publish(desk.home, desk.ring, "2026-06-30", [lead("M1", **row)]))
    here, there = desk.officer("here", "county", "440103"), desk.officer("there", "county", "440104")
    case_id = answer_all(desk, here, "M1")
    assert case_of(desk, "M1").assignee_id is not None
    moved = lead("M1", state="continuing", **row, no="440103-20260630-D-00001", county="440104")
    desk.load(publish(desk.home, desk.ring, "2026-07-01", [moved], first="2026-06-30"))
    page = there.get(f"/cases/{case_id}").text
    assert "承办人：未分派" in page and "须重新分派" in page
    assert here.get(f"/cases/{case_id}").status_code == 404
