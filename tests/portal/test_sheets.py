"""What leaves the desk is exactly the screen, marked; what comes back is taken or refused row by row."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import datetime

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from portal.downloads import ANSWER, CHECK, CONTACTED_ON, MARK, NOTE
from portal.schema import Download, Outreach
from portal.scope import open_machine_session
from tests.portal.cases import answer_all, case_of, leads_of
from tests.portal.nights import lead, number, publish

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def take(officer, kind="xlsx", query="", slug="discrepancies"):
    answer = officer.send(f"/lists/{slug}/download{query}", {"format": kind})
    assert answer.status_code == 200
    return answer.content


def fill(content, answers):
    """Fill answers {lead number: (answer, note)} into a downloaded workbook; other changes by a function of the sheet."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["线索"]
    head = {cell.value: cell.column for cell in sheet[1]}
    for row in sheet.iter_rows(min_row=2):
        told = answers.get(row[0].value)
        if told:
            sheet.cell(row[0].row, head[ANSWER], told[0])
            sheet.cell(row[0].row, head[NOTE], told[1])
    return book, sheet, head


def send_back(officer, book):
    memory = io.BytesIO()
    book.save(memory)
    answer = officer.send("/upload", files={"file": ("filled.xlsx", memory.getvalue(), XLSX)})
    assert answer.status_code == 200, answer.text
    page = BeautifulSoup(answer.text, "html.parser").find("section", {"role": "status"})
    refused = [[cell.get_text() for cell in row.find_all("td")] for row in page.find_all("tr")[1:]]
    return int(page.find("b").get_text()), refused


def screen(officer, query=""):
    page = BeautifulSoup(officer.get(f"/lists/discrepancies{query}").text, "html.parser")
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in page.select("table.leads tbody tr")
    ]


@pytest.mark.parametrize("query", ["", "?rule=A01", "?view=all", "?township=440103002", "?state=cleared"])
def test_both_sheets_are_the_screen(loaded, county, query):
    shown = screen(county, query)
    rows = list(csv.reader(io.StringIO(take(county, "csv", query).decode("utf-8-sig"))))
    assert [row[:-2] for row in rows[1:]] == shown
    sheet = openpyxl.load_workbook(io.BytesIO(take(county, "xlsx", query)))["线索"]
    cells = [[cell.value or "" for cell in row[: len(rows[0]) - 2]] for row in sheet.iter_rows(min_row=2)]
    assert cells == shown


def test_a_sheet_says_who_took_it_and_the_ledger_what_was_taken(loaded, county):
    content = take(county)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["线索"]
    head = {cell.value: cell.column for cell in sheet[1]}
    marks = {row[head[MARK] - 1].value for row in sheet.iter_rows(min_row=2)}
    with open_machine_session(loaded.engine) as db:
        kept = db.scalars(select(Download)).one()
    entry = [entry for entry in loaded.office.journal.log.entries() if entry.action == "desk.download"][-1]
    assert marks == {f"官员xian1（xian1）2026-07-01 10:00:00 {kept.canary}"}
    assert entry.detail["sha256"] == kept.sha256 == hashlib.sha256(content).hexdigest()
    assert entry.detail["rows"] == kept.rows == 3 and entry.detail["canary"] == kept.canary


def test_a_leaked_row_names_its_download(loaded, county, second):
    auditor = loaded.officer("shenji", "auditor", "44")
    for officer in (county, second):
        row = list(csv.reader(io.StringIO(take(officer, "csv").decode("utf-8-sig"))))[1]
        assert f"（{officer.login}）" in auditor.send("/audit/trace", {"code": row[-2]}).text
    assert "没有一次下载" in auditor.send("/audit/trace", {"code": "000000000000.1.x"}).text


def test_identifiers_are_text_and_answers_a_choice(loaded, county):
    book = openpyxl.load_workbook(io.BytesIO(take(county)))
    sheet = book["线索"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    choice = sheet.data_validations.dataValidation[0]
    assert choice.type == "list" and choice.formula1 == "选项!$A$1:$A$8"
    assert book["选项"].sheet_state == "hidden" and sheet.freeze_panes == "B2"


def test_a_search_for_a_person_is_not_written_down(loaded, county):
    away = county.send("/lists/discrepancies/search", {"typed": number(1)}).headers["location"]
    take(county, "csv", "?" + away.split("?")[1])
    with open_machine_session(loaded.engine) as db:
        assert "number" not in db.scalars(select(Download.filters)).one()


def test_filled_rows_are_taken(loaded, county):
    book, *_ = fill(take(county), {lead.lead_no: ("属实", "入户见到") for lead in leads_of(loaded, "H1")})
    assert send_back(county, book) == (2, [])
    assert {lead.reply_code for lead in leads_of(loaded, "H1")} == {"confirmed"}
    assert case_of(loaded, "H1").stage == "replied"
    assert "回传表格" in county.get(f"/cases/{case_of(loaded, 'H1').id}").text


def test_stale_foreign_edited_and_wrong_rows_are_refused_one_by_one_and_the_rest_taken(loaded, county):
    foreign = loaded.officer("far", "county", "440104")
    _, foreign_sheet, _ = fill(take(foreign), {})
    mine = {lead.lead_no: ("属实", "x") for household in ("H1", "H2") for lead in leads_of(loaded, household)}
    book, sheet, head = fill(take(county), mine)
    numbers = {sheet.cell(line, 1).value: line for line in range(2, 5)}
    edited, stale, fine = (numbers[f"440103-20260630-D-0000{n}"] for n in (1, 2, 3))
    sheet.cell(edited, head["核对值"], "1.00元")
    death = next(lead for lead in leads_of(loaded, "H1") if lead.rule == "D01")
    county.done(case_of(loaded, "H1").id, "reply", {"lead": death.id, "code": "deceased", "note": ""})
    for column in range(1, len(head) + 1):
        sheet.cell(5, column, foreign_sheet.cell(2, column).value)
        sheet.cell(6, column, sheet.cell(fine, column).value)
    for line in (5, 6):
        sheet.cell(line, head[ANSWER], "属实" if line == 5 else "随便写的")
    taken, refused = send_back(county, book)
    assert taken == 1
    told = {int(row[0]): row[3] for row in refused}
    assert "改动过" in told[edited] and "重新下载" in told[stale]
    assert "不在您的管辖范围" in told[5] and len(told) == 4
    assert leads_of(loaded, "H1")[1].reply_code == "deceased"
    assert leads_of(loaded, "F1")[0].reply_code is None


CONTACT = {
    "440103-20260630-N-00001": ("已联系告知政策", "打过电话"),
    "440103-20260630-N-00002": ("已联系告知政策", ""),
    "440103-20260630-N-00003": ("已提出申请", ""),
    "440103-20260630-N-00004": ("本人不愿申请", "签字不愿申请"),
}


@pytest.fixture
def families(desk):
    """Three families that may qualify, one with two leads, and the officer who took their list."""
    rows = [
        lead("C1", "N02", id=number(1), name="孙七"),
        lead("C1", "N03", id=number(2), name="孙八"),
        lead("C2", "N01", id=number(3), name="周九"),
        lead("C3", "N01", id=number(4), name="吴十"),
    ]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", [], rows))
    return desk, desk.officer("xian1", "county", "440103")


def fill_days(officer, answers, days):
    """A newly-eligible workbook with answers and days {lead number: day}; every other row's day is 2026-07-01."""
    book, sheet, head = fill(take(officer, slug="newly-eligible"), answers)
    for row in sheet.iter_rows(min_row=2):
        if row[0].value in answers:
            sheet.cell(row[0].row, head[CONTACTED_ON], days.get(row[0].value, "2026-07-01"))
    return book


def test_the_contact_with_a_family_comes_back_in_the_workbook(families):
    desk, county = families
    head = openpyxl.load_workbook(io.BytesIO(take(county, slug="newly-eligible")))
    choices = [row[0].value for row in head["选项"].iter_rows()]
    assert choices[:4] == ["已联系告知政策", "已签授权书", "已提出申请", "本人不愿申请"]
    assert head["线索"].data_validations.dataValidation[0].formula1 == f"选项!$A$1:$A${len(choices)}"
    days = {"440103-20260630-N-00001": datetime(2026, 7, 1), "440103-20260630-N-00003": "2026年7月1日"}
    assert send_back(county, fill_days(county, CONTACT, days)) == (4, [])
    stages = {
        family: (case_of(desk, family).stage, case_of(desk, family).outcome) for family in ["C1", "C2", "C3"]
    }
    assert stages == {"C1": ("visiting", None), "C2": ("closed", "applied"), "C3": ("review", None)}
    # Two rows of one family are one contact.
    with open_machine_session(desk.engine) as db:
        assert db.scalars(select(Outreach.code).order_by(Outreach.id)).all() == [
            "contacted",
            "applied",
            "not_wanted",
        ]
    page = county.get(f"/cases/{case_of(desk, 'C1').id}").text
    assert "2026-07-01 已联系告知政策" in page and "打过电话" in page and "已联系告知政策（回传表格）" in page
    # Nobody signs what he brought himself, from a workbook no more than from the page.
    assert county.work(case_of(desk, "C3").id, "second", {"answer": "agree"}).status_code == 422


@pytest.mark.parametrize(
    ("number_", "answer", "day", "why"),
    [
        ("00003", ("已提出申请", ""), "", "写明日期"),
        ("00003", ("已提出申请", ""), "上周三", "写明日期"),
        ("00003", ("已提出申请", ""), "2026-07-02", "不能晚于今天"),
        ("00003", ("已提出申请", ""), "2026-06-01", "本案生成之后"),
        ("00004", ("本人不愿申请", ""), "2026-07-01", "须填写说明"),
        ("00003", ("无法联系", "三次上门无人"), "2026-07-01", "不登记联系日期"),
        ("00003", ("", ""), "2026-07-01", "下拉选项"),
        ("00003", ("属实", ""), "", "下拉选项"),
        ("00002", ("已签授权书", ""), "2026-07-01", "同一户的另一行"),
        ("00002", ("无法联系", "x"), "", "同一户的另一行"),
    ],
)  # fmt: skip
def test_a_contact_that_cannot_be_is_refused_alone(families, number_, answer, day, why):
    desk, county = families
    wrong = f"440103-20260630-N-{number_}"
    answers = {"440103-20260630-N-00001": ("已联系告知政策", "打过电话"), wrong: answer}
    taken, refused = send_back(county, fill_days(county, answers, {wrong: day}))
    assert taken == 1 and [row[1] for row in refused] == [wrong] and why in refused[0][3]
    assert case_of(desk, "C1").stage == "visiting"
    with open_machine_session(desk.engine) as db:
        assert db.scalars(select(func.count(Outreach.id))).one() == 1


def test_a_family_contacted_after_the_download_is_not_told_twice(families):
    desk, county = families
    book = fill_days(county, CONTACT, {})
    fields = {"code": "signed", "contacted_on": "2026-07-01", "note": ""}
    county.done(case_of(desk, "C2").id, "outreach", fields)
    taken, refused = send_back(county, book)
    assert taken == 3 and "重新下载" in refused[0][3] and case_of(desk, "C2").stage == "visiting"
    assert send_back(county, book)[0] == 0


def test_a_second_rows_own_note_is_kept(families):
    desk, county = families
    answers = CONTACT | {"440103-20260630-N-00002": ("已联系告知政策", "儿子接的电话")}
    assert send_back(county, fill_days(county, answers, {}))[0] == 4
    assert "儿子接的电话" in county.get(f"/cases/{case_of(desk, 'C1').id}").text


def test_the_same_sheet_twice_is_taken_once(loaded, county):
    book, *_ = fill(take(county), {"440103-20260630-D-00003": ("不属实（数据有误，发起校核纠错）", "")})
    assert send_back(county, book) == (1, [])
    taken, refused = send_back(county, book)
    assert taken == 0 and "重新下载" in refused[0][3]


def test_a_colleagues_sheet_is_not_ours_to_return(loaded, county, second):
    book, *_ = fill(take(county), {"440103-20260630-D-00003": ("属实", "")})
    taken, refused = send_back(second, book)
    assert taken == 0 and "其他人下载" in refused[0][3]


def test_a_night_between_download_and_upload(loaded, county):
    """Same fact: still taken. Another fact: refused, for the answer was to something else."""
    content = take(county)
    same = [lead("H2", "I01", id=number(3), name="王五", town="002", state="continuing", first="2026-06-30", no="440103-20260630-D-00003"),
            lead("H1", "A01", id=number(1), name="张三", state="changed", value=61000, first="2026-06-30", no="440103-20260630-D-00001"),
            lead("H1", "D01", id=number(2), name="李四", value=46, line=0, state="changed", first="2026-06-30", no="440103-20260630-D-00002")]  # fmt: skip
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", same))
    book, *_ = fill(content, {f"440103-20260630-D-0000{n}": ("属实", "") for n in (1, 2, 3)})
    taken, refused = send_back(county, book)
    # One day more since the same death is the same fact.
    assert (taken, [row[1] for row in refused]) == (2, ["440103-20260630-D-00001"])


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0" * 100])
def test_what_is_no_workbook_of_ours_is_refused_kindly(loaded, county, content):
    answer = county.send("/upload", files={"file": ("a.xlsx", content, XLSX)})
    assert answer.status_code == 422 and 'role="alert"' in answer.text


def test_a_zip_bomb_is_not_unpacked(loaded, county):
    import zipfile

    memory = io.BytesIO()
    with (
        zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as out,
    ):
        for _ in range(301):
            out.write(bytes(1024 * 1024))
    answer = county.send("/upload", files={"file": ("a.xlsx", memory.getvalue(), XLSX)})
    assert answer.status_code == 422 and "展开后过大" in answer.text


NAUGHTY = [
    "=1+1", "+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "'><img src=x onerror=alert(1)>", "{{ 7*7 }}",
    "{% raw %}", "${7*7}", "'; drop table leads; --", "\"quoted\"", "a,b\tc", "‮右到左", "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "𠮷野家", "👩‍👩‍👧‍👦", "&lt;b&gt;",
    "null", "undefined", "0x", "１２３", "\u200b", "﷽", "line\nbreak", "javascript:alert(1)", "../../etc/passwd", "%s%n", "\ufeffbom",
]  # fmt: skip


def test_naughty_strings_come_back_as_text_everywhere(loaded, county):
    case_id = case_of(loaded, "H2").id
    for text in NAUGHTY:
        if text.strip():
            county.done(case_id, "note", {"body": text})
    county.done(case_id, "refer", {"department": "tax", "need": "\n".join(NAUGHTY)})
    page = county.get(f"/cases/{case_id}").text
    shown = [record.find("p").get_text() for record in BeautifulSoup(page, "html.parser").select(".record")]
    for text in NAUGHTY:
        if text.strip():
            assert text.strip() in shown, text
    assert "<script>alert" not in page and "<img src=x" not in page


def test_naughty_names_from_a_night_are_never_formulas(desk):
    rows = [
        lead(f"N{at}", "A01", id=number(at), name=text, no=f"440103-20260630-D-{at:05d}")
        for at, text in enumerate(NAUGHTY, 1)
    ]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", rows))
    county = desk.officer("xian1", "county", "440103")
    sheet = openpyxl.load_workbook(io.BytesIO(take(county)))["线索"]
    names = {row[0].value: row[6] for row in sheet.iter_rows(min_row=2)}
    for at, text in enumerate(NAUGHTY, 1):
        cell = names[f"440103-20260630-D-{at:05d}"]
        assert (cell.data_type, (cell.value or "").replace("\r\n", "\n")) == ("s", text)
    rows = csv.reader(io.StringIO(take(county, "csv").decode("utf-8-sig"), newline=""))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t" and cell[:1]]
    page = county.get("/lists/discrepancies").text
    assert "<script>alert" not in page and "49" not in BeautifulSoup(page, "html.parser").find(
        "table"
    ).get_text().replace("440", "")


def test_an_answer_brought_back_is_sealed_too(loaded, county, tmp_path):
    book, *_ = fill(take(county), {"440103-20260630-D-00003": ("属实", "王五的弟弟李大说")})
    assert send_back(county, book)[0] == 1
    answer_all(loaded, county, "H1")
    loaded.engine.dispose()
    assert "弟弟".encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("desk.sqlite*"))
    assert CHECK
