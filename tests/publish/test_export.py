"""What leaves by an export is exactly the list, safe to open, and in the audit log before it exists."""

import csv
import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
import python_calamine

from pipelines.audit import AuditBroken, AuditLog
from pipelines.errors import UsageError
from pipelines.export import export_list
from pipelines.list_files import write_csv, write_workbook
from pipelines.lists import COLUMNS, read_list
from pipelines.manifest import NightNotPublished
from tests.publish.night_builder import AS_OF, publish

WHO = {"actor": "王科长", "reason": "季度复核"}
NAUGHTY = [
    "=1+1",
    "+86",
    "-5",
    "@SUM(A1)",
    "=cmd|'/c calc'!A1",
    "\tleading tab",
    "  spaces  ",
    "nul\x00inside",
    "\x01\x1f\x7f",
    "emoji 👨‍👩‍👧 𠮷",
    "x" * 5000,
    "行\n换行",
    "回车\r\n",
    "\r",
    '引"号',
    "逗,号",
    "<b>&amp;",
    "<r><t>x</t></r>",
    "]]>",
    "_x0041_",
    "_x005F_x0000_",
    "_X0041_",
    "440103199001010011",
    "000123",
    "1E5",
    "2026-06-30",
    "TRUE",
    "#N/A",
    "http://x.cn",
    "mailto:a@b",
    "\u200f\u202eRTL",
    "\ufeffBOM",
    "e\u0301",
    "\u2028\u2029\x85",
    "{=A1}",
    "'quoted",
    "𝟙²",
    "null",
]


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def csv_rows(path):
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def sheet_rows(path, sheet=0):
    return [
        ["" if cell is None else cell for cell in row]
        for row in openpyxl.load_workbook(path).worksheets[sheet].values
    ]


def test_a_csv_has_bom_crlf_header_and_exactly_the_list(home, ring, out):
    publish(home, ring, discrepancies=[{}, {"evidence": '有"引号", 和逗号'}])
    receipt = export_list(home, ring, "discrepancies", AS_OF, "csv", out / "a.csv", **WHO)
    content = (out / "a.csv").read_bytes()
    lines = content.removeprefix(b"\xef\xbb\xbf").decode().split("\r\n")
    assert content.startswith(b"\xef\xbb\xbf") and not content[3:].startswith(b"\xef\xbb\xbf")
    assert lines[0] == (
        "线索编号,状态,规则代码,规则名称,县区代码,乡镇代码,家庭编号,救助类别,姓名,公民身份号码,"
        "核对值,标准值,数据来源,数据日期,证据说明,政策依据,消除条件"
    )
    assert lines[1] == (
        "440103-20260630-D-00001,新增,A01,金融资产超标,440103,440103001,H1,低保,张三,440103199001010011,"
        "52000.50,31200.00,银行,2026-06-29,存款合计 52000.50 元,办法第九条,提供支取凭证"
    )
    assert '"有""引号"", 和逗号"' in lines[2] and lines[3:] == [""]
    assert (receipt.rows, receipt.sha256) == (2, hashlib.sha256(content).hexdigest())
    assert (out / "a.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("which", ["newly-eligible", "quarantine"])
def test_the_other_lists_come_with_their_own_columns(home, ring, out, which):
    publish(home, ring, newly=[{}], quarantine=[{}])
    export_list(home, ring, which, AS_OF, "csv", out / "a.csv", **WHO)
    export_list(home, ring, which, AS_OF, "xlsx", out / "a.xlsx", **WHO)
    rows = csv_rows(out / "a.csv")
    assert rows[0] == list(COLUMNS[which]) == sheet_rows(out / "a.xlsx")[0]
    assert len(rows) == len(sheet_rows(out / "a.xlsx")) == 2
    assert openpyxl.load_workbook(out / "a.xlsx").sheetnames == [
        "隔离清单" if which == "quarantine" else "线索清单",
        "说明",
    ]


def test_equal_lists_give_equal_bytes_whatever_the_home_and_key(home, ring, out, tmp_path):
    publish(home, ring, discrepancies=[{}, {"id": None}])
    ring.rotate()
    publish(tmp_path / "home2", ring, discrepancies=[{}, {"id": None}])
    for number, place in enumerate((home, tmp_path / "home2", home)):
        export_list(place, ring, "discrepancies", AS_OF, "csv", out / f"{number}.csv", **WHO)
    assert len({(out / f"{number}.csv").read_bytes() for number in range(3)}) == 1


def test_an_eighteen_digit_number_survives_as_text(home, ring, out):
    rows = [{"id": "440103199001010011"}, {"id": "44010319850505002X"}, {"id": "110101190001010011"}]
    publish(home, ring, discrepancies=rows)
    export_list(home, ring, "discrepancies", AS_OF, "xlsx", out / "a.xlsx", **WHO)
    sheet = openpyxl.load_workbook(out / "a.xlsx").worksheets[0]
    place = list(COLUMNS["discrepancies"]).index("公民身份号码") + 1
    cells = [sheet.cell(row, place) for row in (2, 3, 4)]
    assert [cell.value for cell in cells] == [row["id"] for row in rows]
    assert all(cell.data_type in ("s", "inlineStr") and cell.number_format == "@" for cell in cells)
    for head in ("线索编号", "县区代码", "乡镇代码", "家庭编号"):
        cell = sheet.cell(2, list(COLUMNS["discrepancies"]).index(head) + 1)
        assert isinstance(cell.value, str) and cell.number_format == "@"


def test_a_workbook_holds_the_same_values_as_the_csv_with_money_as_numbers(home, ring, out):
    publish(
        home,
        ring,
        newly=[{}, {"income": "0.10", "assets": None, "members": 12}, {"income": "9999999999999.99"}],
    )
    export_list(home, ring, "newly-eligible", AS_OF, "csv", out / "a.csv", **WHO)
    export_list(home, ring, "newly-eligible", AS_OF, "xlsx", out / "a.xlsx", **WHO)
    heads, *plain = csv_rows(out / "a.csv")
    _, *cells = sheet_rows(out / "a.xlsx")
    for wanted, found in zip(plain, cells, strict=True):
        for head, text, cell in zip(heads, wanted, found, strict=True):
            if (
                head in ("人均月收入", "收入标准", "人均金融资产", "资产标准", "家庭人口")
                and len(text) <= 15
                and text
            ):
                assert isinstance(cell, (int, float)) and f"{cell:.2f}" == f"{float(text):.2f}"
            else:
                assert cell == text
    assert cells[2][heads.index("人均月收入")] == "9999999999999.99"
    sheet = openpyxl.load_workbook(out / "a.xlsx").worksheets[0]
    assert sheet.cell(2, heads.index("人均月收入") + 1).number_format == "0.00"
    assert sheet.cell(2, heads.index("家庭人口") + 1).number_format == "0"


def test_naughty_texts_come_back_as_the_texts_they_were(home, ring, out):
    names = [text for text in NAUGHTY if text]
    publish(
        home, ring, discrepancies=[{"name": text, "household_id": text, "evidence": text} for text in names]
    )
    export_list(home, ring, "discrepancies", AS_OF, "csv", out / "a.csv", **WHO)
    export_list(home, ring, "discrepancies", AS_OF, "xlsx", out / "a.xlsx", **WHO)
    places = [list(COLUMNS["discrepancies"]).index(head) for head in ("姓名", "家庭编号", "证据说明")]
    for place in places:
        assert [row[place] for row in csv_rows(out / "a.csv")[1:]] == names
    sheet = openpyxl.load_workbook(out / "a.xlsx").worksheets[0]
    assert not [
        cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type in ("f", "b", "e", "d")
    ]
    assert not sheet._hyperlinks
    for place in places:
        assert [excel_text(row[place]) for row in sheet_rows(out / "a.xlsx")[1:]] == names
    calamine = (
        python_calamine.CalamineWorkbook.from_path(str(out / "a.xlsx")).get_sheet_by_index(0).to_python()
    )
    for place in places:
        assert [row[place] for row in calamine[1:]] == names


def excel_text(text):
    """What Excel shows: openpyxl leaves ECMA-376's _xHHHH_ as they stand in the file."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_what_a_cell_cannot_hold_is_counted_in_the_notes(out):
    texts = ["a" * 32_768, "👍" * 20_000, "a\ufffeb", "ok", "b" * 32_767]
    table = pa.table({"线索编号": texts})
    with (out / "a.xlsx").open("w+b") as file:
        write_workbook(table, file, "线索清单", [])
    cells = [row[0] for row in sheet_rows(out / "a.xlsx")[1:]]
    assert cells == ["a" * 32_767, "👍" * 16_383, "a\ufffdb", "ok", "b" * 32_767]
    assert sheet_rows(out / "a.xlsx", 1)[-1] == ["因工作表限制而改动的单元格数（全文见CSV）", "3"]


def test_a_workbook_has_a_frozen_header_a_filter_and_the_notes(home, ring, out):
    manifest = publish(home, ring, discrepancies=[{}, {}, {"county_code": "440104"}])
    export_list(home, ring, "discrepancies", AS_OF, "xlsx", out / "a.xlsx", county="440103", **WHO)
    workbook = openpyxl.load_workbook(out / "a.xlsx")
    assert workbook.sheetnames == ["线索清单", "说明"]
    assert workbook.worksheets[0].freeze_panes == "A2"
    assert workbook.worksheets[0].auto_filter.ref == "A1:Q3"
    assert workbook.worksheets[0].dimensions == "A1:Q3"
    notes = dict(workbook.worksheets[1].values)
    assert notes["行数"] == "2" and notes["核对截止日"] == "2026-06-30" and notes["筛选：县区"] == "440103"
    assert (
        notes["导出人"] == "王科长" and notes["导出事由"] == "季度复核" and notes["封印"] == manifest["seal"]
    )
    assert "只核对不认定" in notes["提示"]


def test_an_empty_list_is_a_header_alone(home, ring, out):
    publish(home, ring)
    for fmt in ("csv", "xlsx"):
        assert export_list(home, ring, "discrepancies", AS_OF, fmt, out / f"a.{fmt}", **WHO).rows == 0
    assert csv_rows(out / "a.csv") == [list(COLUMNS["discrepancies"])]
    assert sheet_rows(out / "a.xlsx") == [list(COLUMNS["discrepancies"])]


def test_actor_and_reason_in_the_notes_are_text_too(home, ring, out):
    publish(home, ring, discrepancies=[{}])
    export_list(
        home, ring, "discrepancies", AS_OF, "xlsx", out / "a.xlsx", actor="=1+1", reason="<r><t>x</t></r>"
    )
    sheet = openpyxl.load_workbook(out / "a.xlsx").worksheets[1]
    notes = {row[0].value: row[1] for row in sheet.iter_rows()}
    assert (notes["导出人"].value, notes["导出人"].data_type) == ("=1+1", "s")
    assert notes["导出事由"].value == "<r><t>x</t></r>"


def test_many_rows_stream_and_every_piece_joins_the_next(out):
    texts = [f"H{number}" for number in range(12_345)]
    with (out / "a.xlsx").open("w+b") as file:
        write_workbook(pa.table({"家庭编号": texts, "核对值": ["1.50"] * len(texts)}), file, "线索清单", [])
    rows = python_calamine.CalamineWorkbook.from_path(str(out / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert rows[1:] == [[text, 1.5] for text in texts]


@pytest.mark.parametrize(("county", "wanted"), [("440103", 1), ("4401", 2), ("4403", 1), ("440199", 0)])
def test_a_county_or_a_whole_city_can_be_exported(home, ring, out, county, wanted):
    publish(home, ring, discrepancies=[{"county_code": code} for code in ("440103", "440104", "440303")])
    receipt = export_list(home, ring, "discrepancies", AS_OF, "csv", out / "a.csv", county=county, **WHO)
    assert receipt.rows == wanted == len(csv_rows(out / "a.csv")) - 1


def test_one_source_of_the_quarantine_can_be_exported(home, ring, out):
    publish(home, ring, quarantine=[{}, {"source": "tax", "line": 9}])
    export_list(home, ring, "quarantine", AS_OF, "csv", out / "a.csv", source="tax", **WHO)
    assert [row[:3:2] for row in csv_rows(out / "a.csv")[1:]] == [["tax", "9"]]


def test_every_export_is_in_the_audit_log_with_its_count_and_hash(home, ring, out):
    manifest = publish(home, ring, discrepancies=[{}])
    receipt = export_list(home, ring, "discrepancies", AS_OF, "xlsx", out / "a.xlsx", county="440103", **WHO)
    entry = list(AuditLog(home, ring).entries())[-1]
    assert (entry.action, entry.actor, entry.reason) == ("export", "王科长", "季度复核")
    assert entry.detail == {
        "list": "discrepancies",
        "as_of": "2026-06-30",
        "format": "xlsx",
        "county": "440103",
        "source": None,
        "rows": 1,
        "sha256": hashlib.sha256((out / "a.xlsx").read_bytes()).hexdigest(),
        "file": "a.xlsx",
        "seal": manifest["seal"],
    }
    assert receipt.sha256 == entry.detail["sha256"]


WRONG = [
    {"actor": ""},
    {"actor": "  "},
    {"reason": ""},
    {"reason": " \t"},
    {"which": "all"},
    {"fmt": "pdf"},
    {"county": "44"},
    {"county": "44010"},
    {"county": "44%"},
    {"source": "banks"},
    {"which": "quarantine", "county": "440103"},
    {"which": "quarantine", "source": "unknown"},
    {"output": "missing/a.csv"},
    {"output": "."},
    {"output": "home/a.csv"},
    {"reason": "查44010319900101001X"},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_a_request_that_cannot_be_met_leaves_no_file_and_no_entry(home, ring, tmp_path, out, change):
    publish(home, ring, discrepancies=[{}], quarantine=[{}])
    logged = len(list(AuditLog(home, ring).entries()))
    request = {"which": "discrepancies", "as_of": AS_OF, "fmt": "csv", "output": "out/a.csv"} | WHO | change
    request["output"] = tmp_path / request["output"]
    with pytest.raises(UsageError) as failure:
        export_list(home, ring, **request)
    assert "4401031990" not in str(failure.value)
    assert os.listdir(out) == [] and len(list(AuditLog(home, ring).entries())) == logged


def test_a_night_that_is_not_published_cannot_be_exported(home, ring, out):
    publish(home, ring, discrepancies=[{}])
    with pytest.raises(NightNotPublished, match="latest published night is 2026-06-30"):
        export_list(home, ring, "discrepancies", date(2026, 7, 1), "csv", out / "a.csv", **WHO)


def test_no_file_appears_when_the_audit_log_cannot_be_written(home, ring, out):
    publish(home, ring, discrepancies=[{}])
    log = home / "audit" / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-1])
    (out / "a.csv").write_text("before")
    with pytest.raises(AuditBroken):
        export_list(home, ring, "discrepancies", AS_OF, "csv", out / "a.csv", **WHO)
    assert os.listdir(out) == ["a.csv"] and (out / "a.csv").read_text() == "before"


def test_an_export_replaces_the_file_of_an_earlier_one(home, ring, out):
    publish(home, ring, discrepancies=[{}])
    (out / "a.csv").write_text("before")
    export_list(home, ring, "discrepancies", AS_OF, "csv", out / "a.csv", **WHO)
    assert os.listdir(out) == ["a.csv"] and len(csv_rows(out / "a.csv")) == 2


PROGRAM = """
import sys, tempfile
from datetime import date
from pathlib import Path
import pipelines.export as export
from pipelines.identity.keyring import KeyRing
home, ring_file, fmt, output, stop = sys.argv[1:]
ring = KeyRing.open(Path(home), {"HEDUI_KEYRING": ring_file})
module, name = (export, "_sha256") if stop == "written" else (export, "give_name")
def wait(*_):
    print("here", flush=True)
    import time; time.sleep(60)
setattr(module, name, wait)
night = date(2026, 6, 30)
export.export_list(Path(home), ring, "discrepancies", night, fmt, Path(output), actor="a", reason="b")
"""


@pytest.mark.parametrize(("fmt", "stop"), [("csv", "logged"), ("xlsx", "written")])
def test_an_export_killed_half_way_leaves_nothing(home, ring, out, tmp_path, fmt, stop):
    publish(home, ring, discrepancies=[{"name": "王特别"}] * 50)
    (tmp_path / "temp").mkdir()
    arguments = [sys.executable, "-c", PROGRAM, str(home), str(ring.path), fmt, str(out / "a"), stop]
    environ = os.environ | {"TMPDIR": str(tmp_path / "temp")}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout.readline() == b"here\n"
        os.kill(process.pid, signal.SIGKILL)
    assert os.listdir(out) == [] and os.listdir(tmp_path / "temp") == []
    exported = [entry.action for entry in AuditLog(home, ring).entries()].count("export")
    assert exported == (1 if stop == "logged" else 0)
    export_list(home, ring, "discrepancies", AS_OF, fmt, out / "a", **WHO)
    assert os.listdir(out) == ["a"] and AuditLog(home, ring).verify() is None


def test_fifty_thousand_rows_are_a_workbook_in_seconds(home, ring):
    publish(home, ring, discrepancies=[{}])
    one = read_list(home, AS_OF, "discrepancies", ring)
    table = one.take(pa.array([0] * 50_000))
    for write in (
        lambda file: write_workbook(table, file, "线索清单", []),
        lambda file: write_csv(table, file),
    ):
        start = time.process_time()
        write(io.BytesIO())
        assert time.process_time() - start < 5


def test_a_workbook_is_well_formed_and_without_formulas_in_its_parts(home, ring, out):
    publish(home, ring, discrepancies=[{"name": text} for text in NAUGHTY])
    export_list(home, ring, "discrepancies", AS_OF, "xlsx", out / "a.xlsx", **WHO)
    from xml.etree import ElementTree

    with zipfile.ZipFile(out / "a.xlsx") as parts:
        assert parts.testzip() is None
        assert not [name for name in parts.namelist() if "calcChain" in name or "externalLink" in name]
        for name in parts.namelist():
            tree = ElementTree.fromstring(parts.read(name))
            assert not [element for element in tree.iter() if element.tag.endswith("}f")]


def test_equal_workbooks_are_equal_bytes(out):
    table = pa.table({"线索编号": ["a", "b"], "核对值": ["1.00", ""]})
    files = [out / "a.xlsx", out / "b.xlsx"]
    for path in files:
        with Path(path).open("w+b") as file:
            write_workbook(table, file, "线索清单", [("行数", 2)])
    assert sheet_rows(files[0]) == sheet_rows(files[1])
