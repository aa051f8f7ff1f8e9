"""Long lists stay quick and true: what is remembered is forgotten with the change that makes it wrong."""

from __future__ import annotations

import io
import re
import time
from contextlib import contextmanager

import openpyxl
import pyarrow as pa
import pytest
from sqlalchemy import event, select, text

from portal.listing import order
from portal.schema import Case
from portal.workbook import SheetFrame, write_sheet
from tests.portal.cases import KEEP, answer_all, case_of, leads_of
from tests.portal.nights import lead, number, publish

COUNTED = re.compile(r"count\(", re.IGNORECASE)


@contextmanager
def counting(desk):
    """The counting statements that reach the database meanwhile."""
    seen: list[str] = []

    def watch(_connection, _cursor, statement, *_rest):
        if COUNTED.search(statement) and "leads" in statement:
            seen.append(statement)

    event.listen(desk.engine, "before_cursor_execute", watch)
    try:
        yield seen
    finally:
        event.remove(desk.engine, "before_cursor_execute", watch)


def tabs(officer, slug="discrepancies", query=""):
    """The number on every tab of a list, and the rows behind each."""
    page = officer.get(f"/lists/{slug}?{query}").text
    told = [int(found) for found in re.findall(r"<a href=\"/lists/[^>]*>[^<]+<b>(\d+)</b></a>", page)]
    rows = []
    for view in ("open", "suppressed", "cleared", "closed", "all"):
        shown = officer.get(f"/lists/{slug}?{query}&view={view}").text
        rows.append(len(re.findall(r'<th scope="row">', shown)))
    return told, rows


def test_a_list_is_counted_once_for_all_who_see_the_same(loaded, county, second):
    with counting(loaded) as seen:
        first = county.get("/lists/discrepancies").text
        assert len(seen) == 1
        assert "<b>3</b> 条线索" in first and "<b>3</b> 条线索" in second.get("/lists/discrepancies").text
        county.done(case_of(loaded, "H1").id, "note", {"body": "不改变任何数字"})
        county.get("/lists/discrepancies")
        assert len(seen) == 1
        assert "<b>1</b> 条线索" in loaded.officer("far", "county", "440104").get("/lists/discrepancies").text
        county.get("/lists/discrepancies?assignee=me")
        second.get("/lists/discrepancies?assignee=me")
        assert len(seen) == 4, "another place, and what is mine, are counted on their own"


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


def test_the_order_of_a_list_comes_from_an_index(loaded):
    """The words of the order are those of the index; otherwise every page would sort the whole list."""
    ordered = select(Case.id).where(Case.list == "discrepancies", Case.county_code == "440103")
    compiled = ordered.order_by(*order()[:2]).compile(loaded.engine, compile_kwargs={"literal_binds": True})
    with loaded.engine.connect() as connection:
        plan = [row[3] for row in connection.execute(text(f"explain query plan {compiled}"))]
    assert plan == ["SEARCH cases USING INDEX ix_cases_list_order (list=? AND county_code=?)"]


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
