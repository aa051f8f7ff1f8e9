"""Workbooks made to harm: refused with words or read as plain values, never a fault, and quickly."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from tests.portal.cases import leads_of
from tests.portal.test_sheets import XLSX, fill, take

SHEET_PART = "xl/worksheets/sheet1.xml"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def rebuilt(content: bytes, changes: dict[str, bytes | None], more: dict[str, bytes] | None = None) -> bytes:
    """The workbook with some of its parts replaced (None: left out) and others added."""
    memory = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
            elif changes[name] is not None:
                new.writestr(name, changes[name])
        for name, part in (more or {}).items():
            new.writestr(name, part)
    return memory.getvalue()


def sheet_of(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read(SHEET_PART).decode()


def send(officer, content):
    begun = time.process_time()
    answer = officer.send("/upload", files={"file": ("a.xlsx", content, XLSX)})
    assert time.process_time() - begun < 10
    assert answer.status_code in (200, 422), answer.status_code
    assert "root:" not in answer.text and "haha" not in answer.text and "Traceback" not in answer.text
    return answer


@pytest.mark.parametrize(
    "declaration", [LAUGHS, OUTSIDE], ids=["entities that multiply", "an entity of a file"]
)
def test_entities_are_not_expanded(loaded, county, declaration):
    content = take(county)
    sheet = (
        sheet_of(content).replace("?>", f"?>{declaration}", 1).replace("440103-20260630-D-00001", "&i;&a;")
    )
    send(county, rebuilt(content, {SHEET_PART: sheet.encode()}))
    assert all(lead.reply_code is None for lead in leads_of(loaded, "H1"))


def test_macros_and_links_to_other_workbooks_are_carried_and_never_followed(loaded, county):
    book, *_ = fill(take(county), {"440103-20260630-D-00003": ("属实", "见到存折")})
    memory = io.BytesIO()
    book.save(memory)
    link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    more = {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 100, "xl/externalLinks/externalLink1.xml": link}
    send(county, rebuilt(memory.getvalue(), {}, more))
    assert leads_of(loaded, "H2")[0].reply_code == "confirmed"


PARTS = ("xl/workbook.xml", SHEET_PART, "[Content_Types].xml", "xl/_rels/workbook.xml.rels")


@pytest.mark.parametrize(
    "broken",
    [None, b"", b"<", b"\x00" * 1000, b"<a>" * 50_000],
    ids=["none", "empty", "cut", "zeros", "deep"],
)
def test_parts_that_are_missing_or_broken(loaded, county, broken):
    content = take(county)
    for part in PARTS:
        send(county, rebuilt(content, {part: broken}))


def test_more_rows_than_the_desk_takes(loaded, county):
    content = take(county)
    before, _, after = sheet_of(content).partition("</sheetData>")
    rows = "".join(
        f'<row r="{at}"><c r="A{at}" t="inlineStr"><is><t>x</t></is></c></row>' for at in range(5, 60_010)
    )
    answer = send(county, rebuilt(content, {SHEET_PART: f"{before}{rows}</sheetData>{after}".encode()}))
    assert answer.status_code == 422 and "60000" in answer.text


def test_one_cell_far_away_does_not_make_a_sheet_of_a_billion(loaded, county):
    content = take(county)
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    answer = send(
        county, rebuilt(content, {SHEET_PART: sheet_of(content).replace("</sheetData>", far).encode()})
    )
    assert answer.status_code == 422 and "行或列过多" in answer.text


def test_a_package_that_understates_its_size(loaded, county):
    content = bytearray(rebuilt(take(county), {}, {"xl/media/a.bin": bytes(30_000_000)}))
    at = content.rfind(b"PK\x01\x02", 0, content.rfind(b"xl/media/a.bin"))
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    send(county, bytes(content))
