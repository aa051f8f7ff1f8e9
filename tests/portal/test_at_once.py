"""Many officers at once: what a page may cost, who waits for whom, and which process answers."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from portal.drawing import draw_choice, draw_leads
from portal.routing import PAGES, Seats
from portal.schema import Case, Lead, User
from portal.scope import open_machine_session
from portal.sheet import SheetRow
from tests.portal.cases import case_of, leads_of
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk, statements
from tests.portal.nights import lead, number, publish
from tests.portal.postgres import fresh_database, serve_postgres

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("query", ["", "?view=closed", "?page=2", "?rule=A01&assignee=none&due=week"])
def test_a_list_that_nobody_changed_costs_two_questions(loaded, county, second, query):
    """Who asks and whether anything changed, and the rows; counts and choices are known from the officer before."""
    county.get(f"/lists/discrepancies{query}")
    with statements(loaded) as seen:
        assert second.get(f"/lists/discrepancies{query}").status_code == 200
    asked = [statement for statement in seen if statement.startswith("SELECT")]
    assert len(asked) == 2, asked
    assert "sessions" in asked[0] and "settings" in asked[0] and "leads" in asked[1]


def test_an_officer_who_comes_or_goes_is_offered_or_not_at_once(loaded, county, second):
    def offered():
        return "新来的" in county.get("/lists/discrepancies").text

    assert not offered()
    loaded.hire("xian9", "county", "440103", name="新来的")
    assert offered()
    keeper = loaded.officer("guanli", "admin", "440103")
    with open_machine_session(loaded.engine) as db:
        newcomer = db.scalars(select(User.id).where(User.login == "xian9")).one()
    assert keeper.send(f"/users/{newcomer}", {"act": "off"}).status_code == 200
    assert not offered()


def test_a_list_waits_for_nobody_who_reads_everything():
    """More officers ask for statistics than there are seats for, and theirs are not done; the list is."""
    done, seats = threading.Event(), Seats()
    page_at = {(page.method, page.path): page for page in PAGES}

    async def ask_all():
        statistics = page_at["GET", "/statistics"]
        waiting = [asyncio.ensure_future(seats.run(statistics, partial(done.wait, 30))) for _ in range(9)]
        try:
            assert (
                await asyncio.wait_for(seats.run(page_at["GET", "/lists/{slug}"], lambda: "rows"), 10)
                == "rows"
            )
            assert not any(page.done() for page in waiting)
        finally:
            done.set()
            await asyncio.gather(*waiting)

    asyncio.run(ask_all())


def test_a_search_waits_for_nobody_who_writes(loaded, county):
    """It is a form only to keep what was typed out of the address."""
    form = {"csrf": county.csrf(), "typed": "440103-20260630-D-00001"}
    with loaded.engine.execution_options(writes=True).begin():
        begun = time.monotonic()
        assert county.web.post("/lists/discrepancies/search", data=form).status_code == 303
        assert time.monotonic() - begun < 5


def test_a_search_does_not_wait_for_libraries_it_has_no_use_for():
    """pyarrow imports pandas before it makes an array of a list: half a second for the first search of a process."""
    asked = (
        "import sys; from portal.sealing import text_column; text_column(['张三']); "
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode == 0


NAUGHTY = ["<b>&\"'", "a\x1fb", "", "100%s %", "%(a)s{0}", "张三"]


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_row_shows_its_texts_and_nothing_else(text):
    rows = [
        SheetRow(1, 7, 1, "D-1", "H1", "A01", True, True, ("D-1", text, "1", text)),
        SheetRow(2, 7, 1, "D-2", "H1", "A01", False, False, (text, "x", text, "y")),
        SheetRow(3, 8, 1, "D-3", "H2", "A01", False, False, ("D-3", "", "", "")),
    ]
    drawn = BeautifulSoup(
        draw_leads(rows, ("线索编号", "姓名", "核对值", "核查反馈"), "q=%3Cb%3E&a=1"), "html.parser"
    )
    cases = [
        [[cell.text for cell in row.find_all(["th", "td"])] for row in body.find_all("tr")]
        for body in drawn.find_all("tbody")
    ]
    assert cases == [[list(row.cells) for row in rows[:2]], [list(rows[2].cells)]]
    assert [row.get("class") for row in drawn.find_all("tr")] == [["late"], None, None]
    kinds = [[cell.get("class") for cell in row.find_all("td")] for row in drawn.find_all("tr")]
    assert kinds[:2] == [[None, ["num"], ["warn"]], [None, ["num"], None]]
    assert [link["href"] for link in drawn.find_all("a")] == [
        f"/cases/{case}?q=%3Cb%3E&a=1" for case in (7, 7, 8)
    ]
    assert not drawn.find("b")


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_choice_shows_its_texts_and_nothing_else(text):
    drawn = BeautifulSoup(draw_choice("a", text, [(1, text), (text, "x")], 1, "全部"), "html.parser")
    told = [
        (option["value"], option.text, option.has_attr("selected")) for option in drawn.find_all("option")
    ]
    assert told == [("", "全部", False), ("1", text, True), (text, "x", False)]
    assert drawn.label.contents[0] == text if text else drawn.label.contents[0].name == "select"
    assert not drawn.find("b")


def test_many_who_wait_to_write_keep_nobody_from_reading(loaded, county):
    case = case_of(loaded, "H1").id
    form = {"csrf": county.csrf(), "version": "1", "body": "x"}
    waiting = [
        threading.Thread(target=county.web.post, args=(f"/cases/{case}/note",), kwargs={"data": form})
        for _ in range(12)
    ]
    with loaded.engine.execution_options(writes=True).begin():
        for thread in waiting:
            thread.start()
        begun = time.monotonic()
        for _ in range(3):
            assert county.get("/lists/discrepancies").status_code == 200
        assert time.monotonic() - begun < 5 and all(thread.is_alive() for thread in waiting)
    for thread in waiting:
        thread.join(30)


def test_a_night_and_an_officer_wait_for_each_other_in_one_order(tmp_path):
    """The officer holds a case and then wants its leads; the night changes all leads and then the cases."""
    with serve_postgres() as server, serve_desk(tmp_path, database=fresh_database(server, "night")) as desk:
        load_sample(desk)
        case = case_of(desk, "H1").id
        same = lead("H1", "A01", id=number(1), name="张三", state="continuing", first="2026-06-30", no=leads_of(desk, "H1")[0].lead_no)  # fmt: skip
        as_of = publish(desk.home, desk.ring, "2026-07-01", [same | {"value": 90000}])
        reports = []
        night = threading.Thread(target=lambda: reports.append(desk.load(as_of)))
        with open_machine_session(desk.engine, writes=True) as officer:
            held = officer.scalars(select(Case).where(Case.id == case).with_for_update(key_share=True)).one()
            night.start()
            night.join(1.5)
            assert night.is_alive(), "the night waits for the officer"
            for row in officer.scalars(select(Lead).where(Lead.case_id == case)):
                row.reply_code = "exempt"
            held.stage = "replied"
            officer.commit()
        night.join(30)
        assert [report.changed for report in reports] == [1]
        assert {row.reply_code for row in leads_of(desk, "H1")} == {"exempt"}


def test_each_process_has_a_listening_socket_of_its_own(desk):
    """Sharing one, the process that wakes first would take all who click in the same moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        "HEDUI_HOME": str(desk.home),
        "HEDUI_KEYRING": str(desk.home.parent / "keys" / "ring.json"),
        "HEDUI_PORTAL_DATABASE": f"sqlite:///{desk.home.parent / 'desk.sqlite'}",
        "HEDUI_PORTAL_SECRET": "s" * 40,
    }
    command = [sys.executable, "-m", "portal", "serve", "--port", str(port), "--workers", "2"]
    served = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/health"
        latest = time.monotonic() + 60
        while len(_listeners(port)) < 2:
            assert served.poll() is None and time.monotonic() < latest
            time.sleep(0.1)
        assert all(_answers(address) for _ in range(20))
    finally:
        served.terminate()
        assert served.wait(20) == 0
    assert not _answers(address)


def _answers(address):
    try:
        return httpx.get(address, trust_env=False).text == "ok"
    except httpx.TransportError:
        return False


def _listeners(port):
    """The listening sockets of a port (proc(5), net/tcp: state 0A)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]
