"""Long lists stay quick and true: what is remembered is forgotten with the change that makes it wrong."""

from __future__ import annotations

import io
import re
import time
from contextlib import contextmanager
from datetime import date

import openpyxl
import pyarrow as pa
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import text

from portal.backup import back_up, restore
from portal.database import open_database
from portal.listing import Filters, span_of
from portal.scope import Viewer, open_session
from portal.sheet import read_leads, read_page
from portal.workbook import SheetFrame, write_sheet
from tests.portal.cases import KEEP, answer_all, case_of, leads_of, served_stop
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk, statements
from tests.portal.nights import lead, number, publish
from tests.portal.postgres import fresh_database, serve_postgres

TODAY = date(2026, 7, 1)
COUNTED = re.compile(r"count\(", re.IGNORECASE)


def counting(desk):
    """The counting statements that reach the database meanwhile."""
    return statements(desk, lambda statement: COUNTED.search(statement) and "leads" in statement)


def tabs(officer, slug="discrepancies", query=""):
    """The number on every tab of a list, and the rows behind each; the households of each are told right."""
    page = officer.get(f"/lists/{slug}?{query}").text
    told = [int(found) for found in re.findall(r"<a href=\"/lists/[^>]*>[^<]+<b>(\d+)</b></a>", page)]
    rows = []
    for view in ("open", "suppressed", "cleared", "closed", "all"):
        shown = BeautifulSoup(officer.get(f"/lists/{slug}?{query}&view={view}").text, "html.parser")
        leads = [row.find_all("td") for row in shown.select("tbody tr")]
        rows.append(len(leads))
        households = len({cells[2].text for cells in leads})
        assert f"{len(leads)} 条线索，{households} 户" in shown.text, view
    return told, rows


def test_a_list_is_counted_once_for_all_who_see_the_same(loaded, county, second):
    """Leads and households of all tabs in one statement; only the households of the whole list are another one."""
    with counting(loaded) as seen:
        first = county.get("/lists/discrepancies").text
        assert len(seen) == 1
        assert "<b>3</b> 条线索" in first and "<b>3</b> 条线索" in second.get("/lists/discrepancies").text
        county.done(case_of(loaded, "H1").id, "note", {"body": "不改变任何数字"})
        county.get("/lists/discrepancies")
        second.get("/lists/discrepancies?view=closed")
        assert len(seen) == 1
        second.get("/lists/discrepancies?view=all")
        assert len(seen) == 2, "a household may have leads on several tabs"
        assert "<b>1</b> 条线索" in loaded.officer("far", "county", "440104").get("/lists/discrepancies").text
        assert len(seen) == 3, "another place is counted on its own"
        county.get("/lists/discrepancies?assignee=me")
        second.get("/lists/discrepancies?assignee=me")
        assert len(seen) == 5, "and so is what is mine"


def test_the_counts_of_a_list_are_read_from_a_narrow_index_alone(loaded, county):
    with counting(loaded) as seen:
        county.get("/lists/discrepancies")
    with loaded.engine.connect() as connection:
        explained = connection.exec_driver_sql(f"explain query plan {seen[0]}", (None,) * seen[0].count("?"))
        plan = [row[3] for row in explained]
    assert "SEARCH leads USING COVERING INDEX ix_leads_list_counts (list=? AND county_code=?)" in plan


def test_every_step_that_moves_a_lead_is_seen_in_the_counts_at_once(loaded, county, second):
    def agree():
        for query in ("", "assignee=none", "assignee=me", "stage=routed", "due=week"):
            told, rows = tabs(county, query=query)
            assert told == rows, query
        return tabs(county)[0]

    assert agree() == [3, 0, 0, 0, 3]
    h1, h2 = case_of(loaded, "H1").id, case_of(loaded, "H2").id
    county.done(h2, "assign", {"assignee": second_id(loaded)})
    assert "没有线索" not in second.get("/lists/discrepancies?assignee=me").text
    agree()
    explained = leads_of(loaded, "H1")[0].id
    form = {"lead": explained, "code": "exempt", "reason": "r", "until": "2027-01-01"}
    county.done(h1, "suppress", form)
    assert agree() == [2, 1, 0, 0, 3]
    county.done(h1, "lift", {"lead": explained})
    assert agree() == [3, 0, 0, 0, 3]
    answer_all(loaded, county, "H2", code="exempt")
    county.done(h2, "decide", KEEP)
    assert agree() == [2, 0, 0, 1, 3]


def second_id(desk):
    with desk.engine.connect() as connection:
        return connection.execute(text("select id from users where login = 'xian2'")).scalar_one()


def test_a_night_is_seen_in_the_counts_at_once(loaded, county):
    assert tabs(county)[0] == [3, 0, 0, 0, 3]
    more = [
        lead("H1", "A01", id=number(1), name="张三", state="continuing", first="2026-06-30", no="440103-20260630-D-00001"),
        lead("H9", "A01", id=number(9), name="郑十"),
    ]  # fmt: skip
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", more))
    told, rows = tabs(county)
    assert told == rows and told[0] == 2 and told[-1] == 4


def test_a_change_that_was_rolled_back_leaves_the_counts(loaded, county):
    tabs(county)
    refused = county.work(case_of(loaded, "H1").id, "assign", {"assignee": "999"})
    assert refused.status_code == 422
    told, rows = tabs(county)
    assert told == rows == [3, 0, 0, 0, 3]


def test_a_page_is_read_from_one_index_alone(loaded):
    """The order and the filters are columns of one index; otherwise a far page would read all leads before it."""
    filters = Filters("discrepancies", rule="A01", township="440103001", state="new", assignee="none")
    viewer = Viewer(1, "xian1", "官员", "county", "440103")
    with statements(loaded) as seen, open_session(loaded.engine, viewer) as db:
        read_page(db, filters, viewer, TODAY, span_of(100, 50, 1000))
    asked = next(statement for statement in seen if "leads" in statement)
    with loaded.engine.connect() as connection:
        explained = connection.exec_driver_sql(f"explain query plan {asked}", (None,) * asked.count("?"))
        plan = [row[3] for row in explained if "leads" in row[3]]
    wanted = "SEARCH leads USING COVERING INDEX ix_leads_list_order (list=? AND county_code=? AND view=?)"
    assert wanted in plan and not any("SCAN" in step for step in plan)


def rows_of(columns):
    return list(zip(*columns.values(), strict=True))


def test_a_page_is_the_same_from_either_end_of_the_list(loaded):
    leads = [lead(f"L{at}", "A01", id=number(100 + at), name="某某") for at in range(23)]
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", leads, run="r2"))
    viewer = Viewer(1, "xian1", "官员", "county", "440103")
    for view in ("open", "all"):
        filters = Filters("discrepancies", view=view)
        with open_session(loaded.engine, viewer) as db:
            whole = rows_of(read_leads(db, filters, viewer, TODAY))
            for rows in (1, 4, 7, 50):
                pages = [
                    rows_of(read_page(db, filters, viewer, TODAY, span_of(first, rows, len(whole))))
                    for first in range(0, len(whole), rows)
                ]
                assert [row for page in pages for row in page] == whole
                assert [len(page) for page in pages[:-1]] == [rows] * (len(pages) - 1)


NOT_AS_ITS_CASE = """
    select l.lead_no from leads l left join cases c on c.id = l.case_id
    where l.stage is distinct from c.stage or l.assignee_id is distinct from c.assignee_id
       or l.due_by <> coalesce(c.due_on, '9999-12-31')
       or l.view <> case when c.id is null then '' when l.suppression_id is not null and l.present then 'suppressed'
                         when c.stage = 'closed' then 'closed' when not l.present then 'cleared' else 'open' end
"""


def work_through_everything(desk, county, second):
    """Every kind of step that moves a lead, yielding after each."""
    h1, h2 = case_of(desk, "H1").id, case_of(desk, "H2").id
    county.done(h1, "assign", {"assignee": second_id(desk)})
    yield
    explained = leads_of(desk, "H1")[0].id
    form = {"lead": explained, "code": "exempt", "reason": "r", "until": "2027-01-01"}
    county.done(h1, "suppress", form)
    yield
    county.done(h1, "lift", {"lead": explained})
    yield
    served_stop(desk, county, second)
    yield
    county.done(h2, "object", {"raised_on": "2026-07-01", "grounds": "钱不是我的"})
    yield
    again = lead(
        "H1",
        "A01",
        id=number(1),
        name="张三",
        state="cleared",
        first="2026-06-30",
        no=leads_of(desk, "H1")[0].lead_no,
    )
    moved = lead(
        "C1",
        "N01",
        id=number(5),
        name="孙七",
        county="440104",
        state="continuing",
        first="2026-06-30",
        no=leads_of(desk, "C1")[0].lead_no,
    )
    desk.load(publish(desk.home, desk.ring, "2026-07-01", [again], [moved]))
    yield


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_lead_always_tells_what_its_case_does(database, tmp_path):
    """Officers, a night, a move and a restored backup: what the lists read from is kept by the database."""
    with desk_on(database, tmp_path) as (desk, empty):
        load_sample(desk)
        county = desk.officer("xian1", "county", "440103")
        second = desk.officer("xian2", "county", "440103")
        for _ in work_through_everything(desk, county, second):
            with desk.engine.connect() as connection:
                assert connection.execute(text(NOT_AS_ITS_CASE)).all() == []
                assert connection.execute(text("select count(*) from leads where view = ''")).scalar() == 0
        back_up(desk.engine, tmp_path / "b.zip")
        other = open_database(empty)
        restore(other, tmp_path / "b.zip")
        with other.begin() as connection:
            assert connection.execute(text(NOT_AS_ITS_CASE)).all() == []
            for change in (
                "cases set assignee_id = null",
                "cases set due_on = null",
                "cases set stage = 'closed'",
                "leads set suppression_id = null",
                "leads set present = not present",
                "leads set case_id = null where rule = 'D01'",
            ):
                assert connection.execute(text(f"update {change}")).rowcount
                assert connection.execute(text(NOT_AS_ITS_CASE)).all() == [], change
        other.dispose()


@contextmanager
def desk_on(database, folder):
    """A desk on SQLite or on a PostgreSQL of its own, and the URL of an empty database beside it."""
    if database == "sqlite":
        with serve_desk(folder) as desk:
            yield desk, f"sqlite:///{folder / 'other.sqlite'}"
        return
    with serve_postgres() as server, serve_desk(folder, database=fresh_database(server, "desk")) as desk:
        yield desk, fresh_database(server, "other")


@pytest.mark.parametrize("rows", [0, 1, 50_000])
def test_a_sheet_of_fifty_thousand_rows_costs_seconds_at_most(rows):
    columns = [*(f"列{at}" for at in range(18)), "填写"]
    frame = SheetFrame(columns, ["填写"], ["属实", "不属实"], {"行数": str(rows)}, "某某（xian1）")
    cells = [pa.array([f"440103-20260630-D-{at:05d} & <b>" for at in range(rows)], pa.string())] * 18
    table = pa.table([*cells, pa.array([""] * rows, pa.string())], columns)
    used = time.process_time()
    content = write_sheet(frame, table)
    assert time.process_time() - used < 10
    if rows < 2:
        sheet = openpyxl.load_workbook(io.BytesIO(content))["线索"]
        assert [cell.value for cell in sheet[1]] == columns and sheet.max_row == rows + 1
        assert not rows or sheet["B2"].value == "440103-20260630-D-00000 & <b>"
