"""485 strings that programs stumble over, in every text field: they come back as the text they are."""

from __future__ import annotations

import csv
import io
import re
from contextlib import ExitStack

import openpyxl
import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from portal.downloads import ANSWER, NOTE
from portal.listing import count, read_filters, search_text, span_of
from portal.schema import Attachment, Case, Lead, User, Visit, YearlyVisit
from portal.scope import Viewer, open_machine_session, open_session
from portal.sheet import read_page
from tests.portal.cases import case_of, leads_of
from tests.portal.desks import serve_desk
from tests.portal.naughty import STRINGS, as_kept, packed
from tests.portal.nights import lead, number, publish
from tests.portal.postgres import fresh_database, serve_postgres
from tests.portal.test_sheets import fill, send_back, take

LONG = packed(3900)
SHORT = {limit: packed(limit) for limit in (38, 99, 490)}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(request, tmp_path_factory):
    limits = {"sign_ins_per_minute": 10_000, "downloads_per_hour": 1000}
    with ExitStack() as stack:
        database = None
        if request.param == "postgresql":
            database = fresh_database(stack.enter_context(serve_postgres()), "naughty")
        served = stack.enter_context(
            serve_desk(tmp_path_factory.mktemp("naughty"), database=database, **limits)
        )
        load_naughty(served)
        yield served


def load_naughty(desk):
    """A household for every long text on either list, and a lead for every string as a name."""
    journeys = [
        lead(f"J{at}", rule, id=number(at + 1), name="张三", no=f"440103-20260630-D-{at * 2 + n + 1:05d}")
        for at in range(len(LONG))
        for n, rule in enumerate(("A01", "I01"))
    ]
    names = [
        lead(f"W{at}", "A01", id=number(at % 1000), name=text, no=f"440103-20260630-D-{at + 1000:05d}")
        for at, text in enumerate(STRINGS)
    ]
    families = [lead(f"N{at}", "N01", id=number(at + 1), name="孙七") for at in range(len(LONG))]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", [*journeys, *names], families))
    for login in ("xian1", "xian2"):
        desk.officer(login, "county", "440103")


def became_markup(html: str) -> list[str]:
    """Elements and handlers that no page of the desk has: a string that was not taken for text."""
    found = BeautifulSoup(html, "html.parser").find_all()
    strange = {
        "img",
        "iframe",
        "svg",
        "style",
        "object",
        "video",
        "audio",
        "embed",
        "marquee",
        "math",
        "base",
    }
    handlers = [name for tag in found for name in tag.attrs if name.startswith("on")]
    scripts = [tag.name for tag in found if tag.name == "script" and tag.get("src") != "/static/desk.js"]
    return [*(tag.name for tag in found if tag.name in strange), *handlers, *scripts]


def shown_text(html: str) -> str:
    return BeautifulSoup(html, "html.parser").find("main").get_text()


@pytest.mark.parametrize("at", range(len(LONG)))
def test_every_text_field_of_a_case_gives_back_what_was_typed(desk, at):
    first, second = desk.officers["xian1"], desk.officers["xian2"]
    long, case = LONG[at], case_of(desk, f"J{at}").id
    word, line, paragraph = (pieces[at % len(pieces)] for pieces in SHORT.values())
    one, other = leads_of(desk, f"J{at}")
    first.done(case, "note", {"body": f"\x00{long}\x1b"})
    first.done(case, "refer", {"department": "tax", "need": long})
    first.done(case, "referral-answer", {"referral": referral_of(first, case), "answer": long})
    visit = {
        "visited_on": "2026-07-01",
        "investigator_1": word,
        "investigator_2": "乙",
        "met": line,
        "findings": long,
    }
    first.done(case, "visit", visit)
    first.done(case, "suppress", {"lead": other.id, "code": "exempt", "reason": long, "until": "2027-01-01"})
    first.done(case, "reply", {"lead": one.id, "code": "confirmed", "note": long})
    first.done(case, "send-back", {"reason": long})
    first.done(case, "reply", {"lead": one.id, "code": "confirmed", "note": long})
    first.done(case, "decide", {"code": "stop", "disposal": "exit", "reasons": long, "basis": paragraph})
    second.done(case, "second", {"answer": "agree", "note": long})
    assert long in shown_text(first.get(f"/cases/{case}/notice").text)
    first.done(case, "serve", {"served_on": "2026-07-01", "service": "in_person"})
    first.done(case, "object", {"raised_on": "2026-07-01", "grounds": long})
    third = desk.officer("xian3", "county", "440103")
    third.done(case, "resolve", {"answer": "upheld", "result": long})
    page = first.get(f"/cases/{case}").text
    # note, need, answer, findings, reason, two replies, sending back, reasons, second note, grounds, result
    assert shown_text(page).count(long) >= 11
    for piece in (word.replace("\n", "、"), line, paragraph):
        assert piece in shown_text(page)
    assert became_markup(page) == []


def referral_of(officer, case):
    page = BeautifulSoup(officer.get(f"/cases/{case}").text, "html.parser")
    return page.find("input", {"name": "referral"})["value"]


@pytest.mark.parametrize("at", range(len(LONG)))
def test_the_note_of_a_family_contacted(desk, at):
    officer, case = desk.officers["xian1"], case_of(desk, f"N{at}").id
    officer.done(case, "outreach", {"code": "contacted", "contacted_on": "2026-07-01", "note": LONG[at]})
    assert LONG[at] in shown_text(officer.get(f"/cases/{case}").text)


def test_all_strings_as_names_are_text_on_the_screen_and_in_both_sheets(desk):
    county = desk.officers["xian1"]
    wanted = {f"440103-20260630-D-{at + 1000:05d}": text for at, text in enumerate(STRINGS)}
    content = take(county, query="?view=all")
    names = {
        row[0]: row[6]
        for row in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("线索").to_python()
    }
    for lead_no, text in wanted.items():
        assert unescaped(names[lead_no]) == text.replace("\r\n", "\n"), text
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert {
        cell.data_type
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    } == {"s"}
    rows = list(csv.reader(io.StringIO(take(county, "csv", "?view=all").decode("utf-8-sig"), newline="")))
    shown = {row[0]: row[6] for row in rows}
    for lead_no, text in wanted.items():
        assert shown[lead_no].removeprefix("'") == text.removeprefix("'"), text
    assert not [
        cell
        for row in rows
        for cell in row
        if cell.startswith(FORMULA) and not re.fullmatch(r"-[\d,.]+(元|天)?", cell)
    ]
    seen = "".join(
        shown_text(county.get(f"/lists/discrepancies?view=all&rule=A01&page={page}").text)
        for page in range(1, 12)
    )
    assert [text for text in STRINGS if as_kept(text) and as_kept(text) not in as_kept(seen)] == []


def unescaped(text: str) -> str:
    """A workbook writes control characters as _xHHHH_ (ECMA-376, 22.9.2.19)."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_notes_in_a_returned_sheet(desk):
    county = desk.officers["xian1"]
    told = {f"440103-20260630-D-{at + 1000:05d}": ("属实", text) for at, text in enumerate(LONG)}
    book, sheet, head = fill(take(county, query="?view=open&rule=A01"), told)
    for row in sheet.iter_rows(min_row=2):
        row[head[NOTE] - 1].data_type = "s"
    assert head[ANSWER] and send_back(county, book) == (len(LONG), [])
    for at, text in enumerate(LONG):
        assert text in shown_text(county.get(f"/cases/{case_of(desk, f'W{at}').id}").text)


def test_every_string_in_the_short_fields(desk):
    """Kept as a form would keep them, shown on one page each."""
    county, vault = desk.officers["xian1"], desk.office.vault
    short = [text for text in map(as_kept, STRINGS) if 0 < len(text) <= 40]
    with open_machine_session(desk.engine, writes=True) as db:
        case = db.scalars(select(Case).where(Case.household_id == "W300")).one()
        told = {
            "county_code": case.county_code,
            "township_code": case.township_code,
            "at": desk.clock(),
            "by_id": 1,
        }
        for at, text in enumerate(short):
            db.add(Visit(case_id=case.id, visited_on=desk.clock().date(), investigators_sealed=vault.seal_text(f"{text}\n乙", "visit.investigators"),
                         met_sealed=vault.seal_text(text, "visit.met"), findings_sealed=vault.seal_text("", "visit.findings"), **told))  # fmt: skip
            db.add(Attachment(case_id=case.id, name_sealed=vault.seal_text(text, "attachment.name"), media="application/pdf", size=1,
                              sha256="", body_sealed=vault.seal_bytes(b"%PDF-", "attachment.body"), **told))  # fmt: skip
            db.add(
                User(
                    login=f"n{at}",
                    display_name=text,
                    role="county",
                    region="440103",
                    password_hash="-",
                    created_at=desk.clock(),
                )
            )
        db.commit()
    page = county.get(f"/cases/{case.id}")
    users = desk.officer("guanli", "admin", "44").get("/users")
    for answer, field in ((page, "visit and attachment"), (users, "account")):
        assert answer.status_code == 200, field
        text = shown_text(answer.text)
        assert [one for one in short if one not in text] == [], field
        assert became_markup(answer.text) == []
    link = BeautifulSoup(page.text, "html.parser").find_all("a", href=re.compile("/attachments/"))[-1]["href"]
    assert county.get(link).headers["content-disposition"].isascii()


def test_all_strings_as_filters_and_searches_find_nothing_and_break_nothing(desk):
    viewer = Viewer(1, "xian1", "x", "county", "440103")
    today = desk.clock().date()
    with open_session(desk.engine, viewer) as db:
        for text in [*STRINGS, "\x00", "a\x00b", "9" * 40, "number:zz", "number:", "name:00"]:
            found = search_text(text[:80], desk.office.vault)
            for name in ("q", "rule", "township", "county", "stage", "assignee"):
                given = read_filters("discrepancies", {name: text})
                assert "\x00" not in given.query()
            filters = read_filters(
                "discrepancies", {"q": found, "rule": text, "assignee": text, "view": text}
            )
            read_page(db, filters, viewer, today, span_of(0, 1, 1))
            count(db, filters, viewer, today)
    county = desk.officers["xian1"]
    for text in STRINGS[::25]:
        away = county.send("/lists/discrepancies/search", {"typed": text})
        assert away.status_code == 303
        assert county.get(away.headers["location"]).status_code == 200
    assert (
        county.web.get("/lists/discrepancies?rule=%00&q=%00&township=%ff&assignee=" + "9" * 30).status_code
        == 200
    )


def test_a_nul_where_a_word_is_wanted_is_refused_with_words(desk):
    county = desk.officers["xian1"]
    keeper = desk.officer("guanli", "admin", "44")
    person = {"login": "a\x00b", "display_name": "新人", "role": "county", "region": "440103"}
    for answer in (
        county.send("/lists/discrepancies/search", {"typed": "a\x00b"}),
        keeper.send("/users", person),
        desk.hire("nul", "county", "440103").send(
            "/sign-in", {"login": "a\x00b", "password": "x"}, seen="/sign-in"
        ),
    ):
        assert answer.status_code == 422 and "控制字符" in answer.text
    with open_machine_session(desk.engine) as db:
        assert db.scalars(select(Lead.id).where(Lead.household_id == "a")).all() == []
        assert db.scalars(select(YearlyVisit.id)).all() == []


def test_all_strings_as_logins_are_nobody(desk):
    stranger = desk.hire("stranger", "county", "440103")
    token = stranger.csrf("/sign-in")
    for text in STRINGS[::12]:
        answer = stranger.web.post("/sign-in", data={"csrf": token, "login": text, "password": text})
        assert answer.status_code == 401, text
    keeper = desk.officer("guanli", "admin", "44")
    token = keeper.csrf()
    for text in STRINGS[::40]:
        person = {"csrf": token, "login": text, "display_name": text[:40], "role": text, "region": text}
        assert keeper.web.post("/users", data=person).status_code in (403, 422), text
