"""报送前自查：在本部门的电脑上核对一批数据，结论与核对系统接收时的结论一致。

用法：python 本文件 数据文件夹 [--as-of 核对日] [--lines 问题行.csv]
只用 Python 3.8 及以上的标准库；不联网，不改动数据，输出中没有任何人的信息（只有文件名、行号、列名和原因）。
退出状态：0 全部合格；3 可以报送，但有问题行；1 整批会被拒收；2 用法不对。
"""

# ruff: noqa: B905, S314  Python 3.8 knows no zip(strict=…), and only its own XML reader

from __future__ import annotations

import argparse
import array
import csv
import hashlib
import io
import json
import re
import stat
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.etree import ElementTree

# The contract, the figures in force and the words: put in as data when the file is written for a department.
AGREED: dict[str, Any] = {}

# Reasons against a row and against a delivery, in the order in which the intake names them.
REASONS: tuple[str, ...] = tuple(AGREED.get("reason_words", ()))
BIT = {reason: 1 << position for position, reason in enumerate(REASONS)}
HELD: tuple[str, ...] = tuple(AGREED.get("held_words", ()))
DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"
)
MONTH = re.compile(r"([0-9]{4})-?([0-9]{2})")
MONEY = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
BELOW_ZERO = re.compile(r"-.*[1-9].*")
NUMBER = re.compile(r"[0-9]{17}[0-9X]")
FIFTEEN = re.compile(r"[0-9]{15}")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
BOM = b"\xef\xbb\xbf"
SHOWN_LINES = 20
MOST_NESTED = 254
MOST_CELLS = 32_000_000

if TYPE_CHECKING:
    # A record is its fields as texts, or the reason why it is none.
    Record = tuple[int, list[str] | str]
    # The text of a field -> the bit of what is wrong with it, or 0.
    Judge = Callable[[str], int]


class Held(Exception):
    """The whole delivery would not be used. reason: one of HELD."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__(told)
        self.reason = reason


class FileReport:
    """What one file came to. `columns` counts rows by (reason, header); "" where no single column is to blame."""

    def __init__(self, name: str, stated: int) -> None:
        self.name = name
        self.stated = stated
        self.received = 0
        self.lines = array.array("q")
        self.masks = array.array("q")
        self.columns: dict[tuple[str, str], list[Any]] = {}

    def note(self, line: int, mask: int) -> None:
        self.lines.append(line)
        self.masks.append(mask)

    def blame(self, line: int, bit: int, header: str, text: str = "") -> None:
        found = self.columns.setdefault((REASONS[bit.bit_length() - 1], header), [0, []])
        found[0] += 1
        if len(found[1]) < SHOWN_LINES:
            found[1].append(line)

    def bad(self) -> list[tuple[int, str]]:
        """(line, reasons joined by ;), by line."""
        rows = sorted(zip(self.lines, self.masks))
        return [(line, ";".join(one for one in REASONS if mask & BIT[one])) for line, mask in rows]


class Verdict:
    """state: accepted, held or missing; reason: why it is held."""

    def __init__(self) -> None:
        self.state = "accepted"
        self.reason: str | None = None
        self.told: list[str] = []
        self.files: list[FileReport] = []
        self.unlisted: list[str] = []

    def hold(self, reason: str, told: str) -> None:
        self.told.append(told)
        if self.reason is None or HELD.index(reason) < HELD.index(self.reason):
            self.state, self.reason = "held", reason


# --- values ---------------------------------------------------------------------------------------------------------


def normalise_number(text: str) -> str:
    """NFKC, no white space, upper case; 15 digits become 18."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if FIFTEEN.fullmatch(plain):
        plain = plain[:6] + "19" + plain[6:]
        total = sum(int(digit) * weight for digit, weight in zip(plain, WEIGHTS))
        plain += "10X98765432"[total % 11]
    return plain


def parse_day(text: str) -> date | None:
    found = DATE.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_month(text: str) -> date | None:
    found = MONTH.fullmatch(text)
    try:
        return date(int(found.group(1)), int(found.group(2)), 1) if found else None
    except ValueError:
        return None


def judge_of(column: dict[str, Any], as_of: date) -> Judge | None:
    """What judges the texts of a column; None for a column that is never looked at."""
    kind = column["type"]
    if kind in ("carried", "name"):
        return None
    may_be_empty = column.get("optional") or column.get("empty_only_when")
    empty = 0 if may_be_empty else BIT["required_missing"]
    if kind == "id":
        return judge_id(0 if column.get("optional") else BIT["id_missing"])
    if kind == "money":
        return judge_money(empty, bool(column.get("not_negative")))
    if kind in ("text", "identifier"):
        return lambda text: 0 if text.strip() else empty
    return judge_listed(column, as_of, empty)


def judge_id(empty: int) -> Judge:
    malformed = BIT["id_malformed"]

    def judge(text: str) -> int:
        if NUMBER.fullmatch(text):
            return 0
        number = normalise_number(text)
        if not number:
            return empty
        return 0 if NUMBER.fullmatch(number) else malformed

    return judge


def judge_money(empty: int, not_negative: bool) -> Judge:
    def judge(text: str) -> int:
        plain = text.strip()
        if not plain:
            return empty
        if not MONEY.fullmatch(plain):
            return BIT["money_unparseable"]
        return BIT["money_negative"] if not_negative and BELOW_ZERO.fullmatch(plain) else 0

    return judge


def judge_listed(column: dict[str, Any], as_of: date, empty: int) -> Judge:
    """Columns of few values: each distinct one is judged once."""
    known: dict[str, int] = {}
    rule = rule_of(column, as_of)

    def judge(text: str) -> int:
        found = known.get(text)
        if found is None:
            plain = text.strip()
            found = rule(plain) if plain else empty
            if len(known) < 100_000:
                known[text] = found
        return found

    return judge


def rule_of(column: dict[str, Any], as_of: date) -> Judge:
    kind = column["type"]
    if kind == "code":
        values = frozenset(column["values"])
        return lambda text: 0 if text in values else BIT["code_unknown"]
    if kind == "currency":
        currencies = frozenset(AGREED["currencies"])
        return lambda text: 0 if text in currencies else BIT["currency_unknown"]
    if kind == "digits":
        shape = re.compile("[0-9]{%d}" % column["length"])  # noqa: UP031  braces are the pattern's own
        return lambda text: 0 if shape.fullmatch(text) else BIT["code_unknown"]
    if kind == "scope":
        return judge_scope
    parse = parse_day if kind == "date" else parse_month
    late = BIT["date_in_future"] if column.get("not_future") else 0

    def judge_day(text: str) -> int:
        day = parse(text)
        if day is None:
            return BIT["date_unparseable"]
        return late if day > as_of else 0

    return judge_day


def judge_scope(text: str) -> int:
    names = [name.strip() for name in text.split(";")]
    known = names == ["*"] or all(name in AGREED["sources"] for name in names)
    return 0 if known else BIT["code_unknown"]


# --- lines ----------------------------------------------------------------------------------------------------------


def split_record(text: str, separator: str, quoted: bool) -> list[str] | None:
    """The fields of one line; None when a quoted field does not end cleanly on it."""
    if not quoted or '"' not in text:
        return text.split(separator)
    fields: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            end = text.find('"', at + 1)
            while end >= 0 and text.startswith('"', end + 1):
                end = text.find('"', end + 2)
            if end < 0:
                return None
            fields.append(text[at + 1 : end].replace('""', '"'))
            at = end + 1
            if at == len(text):
                return fields
            if text[at] != separator:
                return None
        else:
            end = text.find(separator, at)
            if end < 0:
                return [*fields, text[at:]]
            fields.append(text[at:end])
            at = end
        at += 1


def read_lines(lines: Iterable[bytes], file: dict[str, Any]) -> Iterator[Record]:
    """Records of a file of lines. Raises Held (header_mismatch)."""
    separator = "|" if file["format"] == "pipe" else ","
    quoted, encoding, width = file["format"] == "csv", file["encoding"], len(file["columns"])
    wanted = [column["header"] for column in file["columns"]]
    header_seen = False
    for number, raw in enumerate(lines, 1):
        if number == 1 and encoding == "utf-8" and raw.startswith(BOM):
            raw = raw[len(BOM) :]
        text = decoded(raw, encoding)
        if text is not None and not text.strip():
            continue
        fields = None if text is None else split_record(text, separator, quoted)
        if not header_seen:
            found = [field.strip() for field in fields or []]
            if found != wanted:
                raise Held("header_mismatch", header_told(f"第 {number} 行", found, wanted))
            header_seen = True
        elif text is None:
            yield number, "undecodable_text"
        elif fields is None or len(fields) != width:
            yield number, "wrong_column_count"
        else:
            yield number, fields
    if not header_seen:
        raise Held("header_mismatch", "文件为空，没有表头")


def decoded(raw: bytes, encoding: str) -> str | None:
    """A line without its end, as text; None when its bytes are no characters."""
    if raw.endswith(b"\n"):
        raw = raw[:-1]
    if raw.endswith(b"\r"):
        raw = raw[:-1]
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def header_told(where: str, found: list[str], wanted: list[str]) -> str:
    same = sum(one == other for one, other in zip(found, wanted))
    return f"{where}的表头有 {len(found)} 列，其中 {same} 列与约定一致；应为 {len(wanted)} 列：{'、'.join(wanted)}"


# --- JSON -----------------------------------------------------------------------------------------------------------


class Number(str):
    """A JSON number as it is written."""


def load_json(text: str) -> Any:
    """Raises ValueError for what is not JSON: also NaN, a number beyond any other, half of a surrogate pair."""
    return json.loads(text, parse_float=read_number, parse_int=read_number, parse_constant=refuse_constant)


def refuse_constant(text: str) -> Any:
    raise ValueError("not JSON")


def read_number(text: str) -> Number:
    if abs(float(text)) == float("inf"):
        raise ValueError("not JSON")
    return Number(text)


def refuse_half_pairs(raw: bytes, whole: Any) -> None:
    """Raises ValueError when an escape made half of a surrogate pair."""
    if b"\\ud" in raw.lower():
        json.dumps(whole, ensure_ascii=False).encode("utf-8")


def read_json_lines(lines: Iterable[bytes], file: dict[str, Any]) -> Iterator[Record]:
    for number, raw in enumerate(lines, 1):
        if number == 1 and raw.startswith(BOM):
            raw = raw[len(BOM) :]
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            yield number, "undecodable_text"
            continue
        if not text.strip():
            continue
        try:
            record = load_json(text)
            refuse_half_pairs(raw, record)
        except (ValueError, RecursionError):
            record = None
        yield number, object_fields(record, file)


def read_json_array(raw: bytes, file: dict[str, Any]) -> Iterator[Record]:
    """Records of the array under the agreed key. Raises Held (unreadable)."""
    if raw.startswith(BOM):
        raw = raw[len(BOM) :]
    try:
        whole = load_json(raw.decode("utf-8"))
        refuse_half_pairs(raw, whole)
    except (ValueError, RecursionError):
        raise Held("unreadable", "文件不是 UTF-8 编码的 JSON") from None
    items = whole.get(file["root"]) if isinstance(whole, dict) else None
    if not isinstance(items, list):
        raise Held("unreadable", f"文件应为一个对象，其中“{file['root']}”是数组")
    for place, item in enumerate(items, 1):
        yield place, object_fields(item, file)


def object_fields(record: Any, file: dict[str, Any]) -> list[str] | str:
    if not isinstance(record, dict):
        return "unparseable_record"
    fields = []
    for column in file["columns"]:
        value = record.get(column["header"])
        if isinstance(value, (dict, list)) and is_nested_beyond(value, MOST_NESTED):
            return "unparseable_record"
        fields.append(plain_text(value, column["type"] == "money"))
    return fields


def is_nested_beyond(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def plain_text(value: Any, is_money: bool) -> str:
    """The text a JSON value has in a field: a number as written, in a column of money without exponent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        if is_money and not value.lstrip("-").isdigit():
            return number_text(float(value))
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def number_text(value: float) -> str:
    """In plain decimal notation."""
    if value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    digits, _, power = text.partition("e")
    whole, _, after = digits.partition(".")
    if int(power) < 0:
        return f"{sign}0.{'0' * (-int(power) - len(whole))}{whole}{after}"
    return sign + whole + after + "0" * (int(power) - len(after))


# --- workbooks ------------------------------------------------------------------------------------------------------

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# ECMA-376, 18.8.30: built-in formats that show a day or a time, and the one that shows hours passed.
DAY_FORMATS, ELAPSED_FORMAT = {*range(14, 23), 45, 47}, 46
ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


class Workbook:
    """One sheet of an .xlsx file, read with the standard library alone."""

    def __init__(self, archive: zipfile.ZipFile, sheet: str) -> None:
        self.archive = archive
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        found = [one for one in book.iter(MAIN + "sheet") if one.get("name") == sheet]
        if not found:
            raise Held("header_mismatch", f"没有名为“{sheet}”的工作表")
        targets = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        paths = {one.get("Id"): one.get("Target", "") for one in targets}
        path = paths[found[0].get(RELATION)]
        self.path = path[1:] if path.startswith("/") else "xl/" + path
        settings = book.find(MAIN + "workbookPr")
        self.is_1904 = settings is not None and settings.get("date1904") in ("1", "true")
        self.shared = self.shared_texts()
        self.times = self.time_styles()

    def shared_texts(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self.archive.namelist():
            return []
        return [shown_text(one) for one in self.parsed("xl/sharedStrings.xml").iter(MAIN + "si")]

    def time_styles(self) -> list[str]:
        """By number of style what a number under it is: `day`, `elapsed` or nothing of the kind."""
        if "xl/styles.xml" not in self.archive.namelist():
            return []
        styles = self.parsed("xl/styles.xml")
        own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(MAIN + "numFmt")}
        formats = styles.find(MAIN + "cellXfs")
        return [shown_as(one.get("numFmtId", "0"), own) for one in (formats if formats is not None else [])]

    def parsed(self, path: str) -> ElementTree.Element:
        with self.archive.open(path) as stream:
            return ElementTree.parse(stream).getroot()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row number, its cells as texts), from the first row on that has a cell."""
        number = furthest = 0
        with self.archive.open(self.path) as stream:
            for _, element in ElementTree.iterparse(stream):
                if element.tag != MAIN + "row":
                    continue
                number = int(element.get("r") or number + 1)
                cells: list[str] = []
                for cell in element.iter(MAIN + "c"):
                    at = column_number(cell.get("r", "")) or len(cells) + 1
                    furthest = max(furthest, at)
                    if max(furthest, 1) * number > MOST_CELLS:
                        raise Held("unreadable", "工作表中有远离表格的单元格，请删除后再报送")
                    cells.extend([""] * (at - len(cells)))
                    cells[at - 1] = self.cell_text(cell)
                element.clear()
                yield number, cells

    def cell_text(self, cell: ElementTree.Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inside = cell.find(MAIN + "is")
            return shown_text(inside) if inside is not None else ""
        value = cell.findtext(MAIN + "v")
        if value is None or kind == "e":
            return ""
        if kind == "s":
            return self.shared[int(value)]
        if kind == "b":
            return "true" if value.strip() in ("1", "true") else "false"
        if kind == "str":
            return ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value)
        if kind == "d":
            return value[:10]
        style = int(cell.get("s") or 0)
        shown = self.times[style] if style < len(self.times) else ""
        if shown == "elapsed":
            return str(timedelta(days=float(value)))
        return self.day_text(float(value)) if shown else number_text(float(value))

    def day_text(self, days: float) -> str:
        """A number under a date format: its day, or its time of day where it has no day."""
        days += 1462 if self.is_1904 else 0
        if days >= 2958466:
            return number_text(days)
        if days < 1:
            return str((datetime(1900, 1, 1) + timedelta(days=max(days, 0))).time())
        return (datetime(1899, 12, 31 if days < 60 else 30) + timedelta(days=days)).date().isoformat()


def shown_as(number: str, own: dict[str | None, str]) -> str:
    """What a format shows; by its first section, without its quoted and escaped signs."""
    code = own.get(number, "").split(";")[0]
    if ELAPSED.search(code) or (number not in own and int(number) == ELAPSED_FORMAT):
        return "elapsed"
    is_day = re.search("[dmyhs]", NOT_SHOWN.sub("", code), re.IGNORECASE) or (
        number not in own and int(number) in DAY_FORMATS
    )
    return "day" if is_day else ""


def shown_text(element: ElementTree.Element) -> str:
    """The text of a string with its runs, without the readings of Asian characters."""
    parts = []
    for child in element:
        if child.tag == MAIN + "t":
            parts.append(child.text or "")
        elif child.tag == MAIN + "r":
            parts.append(child.findtext(MAIN + "t") or "")
    return ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), "".join(parts))


def column_number(reference: str) -> int:
    number = 0
    for sign in reference.upper():
        if not "A" <= sign <= "Z":
            break
        number = number * 26 + ord(sign) - 64
    return number


def read_workbook(stream: BinaryIO, file: dict[str, Any]) -> Iterator[Record]:
    """Records of the agreed sheet. Raises Held (unreadable, header_mismatch)."""
    wanted = [column["header"] for column in file["columns"]]
    width, at = len(wanted), file["header_row"]
    header: list[str] = []
    header_seen = False
    try:
        with zipfile.ZipFile(stream) as archive:
            for number, cells in Workbook(archive, file["sheet"]).rows():
                if number <= at:
                    header = [cell.strip() for cell in cells] if number == at else header
                    continue
                if not header_seen:
                    refuse_other_header(header, wanted, at)
                    header_seen = True
                if any(cell.strip() for cell in cells[width:]):
                    yield number, "wrong_column_count"
                elif any(cell.strip() for cell in cells):
                    yield number, cells[:width] + [""] * (width - len(cells))
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        KeyError,
        IndexError,
        ValueError,
        ArithmeticError,
        EOFError,
    ) as error:
        raise Held("unreadable", f"文件不是 xlsx 工作簿（{type(error).__name__}）") from None
    if not header_seen:
        refuse_other_header(header, wanted, at)


def refuse_other_header(header: list[str], wanted: list[str], row: int) -> None:
    while header and not header[-1]:
        header.pop()
    if header != wanted:
        raise Held("header_mismatch", header_told(f"第 {row} 行", header, wanted))


# --- files ----------------------------------------------------------------------------------------------------------


class Hashed:
    """A stream whose bytes are hashed as they are read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for line in self.stream:
            self.hash.update(line)
            yield line

    def read(self) -> bytes:
        content = self.stream.read()
        self.hash.update(content)
        return content

    def finish(self) -> str:
        for _ in self:
            pass
        return self.hash.hexdigest()


def records_of(stream: Hashed, file: dict[str, Any]) -> Iterator[Record]:
    if file["format"] in ("csv", "pipe"):
        return read_lines(stream, file)
    if file["format"] == "jsonl":
        return read_json_lines(stream, file)
    if file["format"] == "json":
        return read_json_array(stream.read(), file)
    return read_workbook(io.BytesIO(stream.read()), file)


class People:
    """Rows of the roster and the monitored households, which are also judged against each other.

    By kind of file (report, line, mask, values by column, raw fields), as read.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[list[Any]]] = {}

    def add(self, key: str, report: FileReport, line: int, mask: int, fields: list[str], file: Any) -> None:
        values = {column["name"]: field.strip() for column, field in zip(file["columns"], fields)}
        self.rows.setdefault(key, []).append([report, line, mask, values, fields])

    def finish(self) -> None:
        """Add the reasons that only show across rows, and note every bad row."""
        if AGREED["source"] == "roster":
            self.judge_roster()
        else:
            self.keep_one_row_per_member(self.rows.get("households", []))
            self.judge_heads(self.rows.get("households", []))
        for rows in self.rows.values():
            for report, line, mask, _, _ in rows:
                if mask:
                    report.note(line, mask)

    def mark(self, row: list[Any], reason: str) -> None:
        row[2] |= BIT[reason]
        row[0].blame(row[1], BIT[reason], "")

    def judge_roster(self) -> None:
        households = self.rows.get("households", [])
        times: dict[str, int] = {}
        for row in households:
            times[row[3]["household_id"]] = times.get(row[3]["household_id"], 0) + 1
        for row in households:
            if row[3]["household_id"] and times[row[3]["household_id"]] > 1:
                self.mark(row, "household_repeated")
        accepted = {row[3]["household_id"] for row in households if not row[2]}
        for row in self.rows.get("members", []):
            if row[3]["household_id"] and row[3]["household_id"] not in accepted:
                self.mark(row, "household_unknown")
        self.keep_one_row_per_member(self.rows.get("members", []))

    def keep_one_row_per_member(self, rows: list[list[Any]]) -> None:
        """Of the acceptable rows of a person in a household: a member before an obligor, then by raw fields."""
        groups: dict[tuple[str, str], list[list[Any]]] = {}
        for row in rows:
            if not row[2]:
                key = (row[3]["household_id"], normalise_number(row[3]["id_number"]))
                groups.setdefault(key, []).append(row)
        for group in groups.values():
            group.sort(key=lambda row: (row[3].get("role", "成员") != "成员", row[4]))
            for row in group[1:]:
                self.mark(row, "member_repeated")

    def judge_heads(self, rows: list[list[Any]]) -> None:
        heads: dict[str, int] = {}
        for row in rows:
            is_head = not row[2] and row[3]["relation"] == "01"
            heads[row[3]["household_id"]] = heads.get(row[3]["household_id"], 0) + is_head
        for row in rows:
            if row[3]["household_id"] and heads[row[3]["household_id"]] != 1:
                self.mark(row, "household_head_missing")


def judge_file(
    records: Iterator[Record], file: dict[str, Any], as_of: date, report: FileReport, people: People | None
) -> None:
    """Judge every record with every reason that fits. Raises Held."""
    columns = file["columns"]
    judges = [(at, judge, columns[at]["header"]) for at, judge in enumerate_judges(columns, as_of)]
    conditions = emptiness_conditions(columns)
    for line, fields in records:
        report.received += 1
        if isinstance(fields, str):
            report.note(line, BIT[fields])
            report.blame(line, BIT[fields], "")
            continue
        mask = 0
        for at, judge, header in judges:
            bit = judge(fields[at])
            if bit:
                mask |= bit
                report.blame(line, bit, header, fields[at])
        for at, other, value in conditions:
            if not fields[at].strip() and fields[other].strip() != value:
                mask |= BIT["required_missing"]
                report.blame(line, BIT["required_missing"], columns[at]["header"])
        if people is not None:
            people.add(file["key"], report, line, mask, fields, file)
        elif mask:
            report.note(line, mask)


def enumerate_judges(columns: list[dict[str, Any]], as_of: date) -> Iterator[tuple[int, Judge]]:
    for at, column in enumerate(columns):
        judge = judge_of(column, as_of)
        if judge is not None:
            yield at, judge


def emptiness_conditions(columns: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    """(place of a column, place of another, the code there with which alone the first may be empty)."""
    places = {column["name"]: at for at, column in enumerate(columns)}
    return [
        (at, places[column["empty_only_when"][0]], column["empty_only_when"][1])
        for at, column in enumerate(columns)
        if column.get("empty_only_when")
    ]


def read_receipt(folder: Path) -> tuple[date, list[dict[str, Any]]]:
    """Snapshot date and files, by name. Raises Held (unreadable), FileNotFoundError."""
    raw = (folder / "receipt.json").read_bytes()
    try:
        table = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Held("unreadable", "receipt.json 不是 UTF-8 编码的 JSON") from None
    if not isinstance(table, dict):
        raise Held("unreadable", "receipt.json 应为一个 JSON 对象")
    if table.get("source") != AGREED["source"]:
        raise Held("unreadable", f"receipt.json 的 source 应为 {AGREED['source']}")
    snapshot = table.get("snapshot_date")
    if not isinstance(snapshot, str) or "/" in snapshot or parse_day(snapshot) is None:
        raise Held("unreadable", "receipt.json 的 snapshot_date 应如 2026-06-29")
    files = table.get("files")
    if not isinstance(files, list):
        raise Held("unreadable", "receipt.json 没有 files 数组")
    for item in files:
        refuse_bad_entry(item)
    if len({item["name"] for item in files}) != len(files):
        raise Held("unreadable", "receipt.json 有文件名重复")
    day = parse_day(snapshot)
    assert day is not None
    return day, sorted(files, key=lambda item: str(item["name"]))


def refuse_bad_entry(item: Any) -> None:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str):
        raise Held("unreadable", "receipt.json 有文件没有 name")
    if name in ("", ".", "..") or not name.isprintable() or any(sign in name for sign in "/\\"):
        raise Held("unreadable", "receipt.json 有文件名不是本文件夹内的文件名")
    digest, rows = item.get("sha256"), item.get("rows")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest.lower()):
        raise Held("unreadable", f"receipt.json 中 {name} 没有 sha256 校验值")
    if not isinstance(rows, int) or isinstance(rows, bool) or not 0 <= rows <= 10**12:
        raise Held("unreadable", f"receipt.json 中 {name} 没有行数 rows")


def plain_files(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name != "receipt.json" and is_plain(one))


def is_plain(path: Path) -> bool:
    try:
        inside = path.resolve().parent == path.parent.resolve()
        return inside and stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def check_listed(
    folder: Path, item: dict[str, Any], as_of: date, verdict: Verdict, people: People | None
) -> None:
    """Read one file of the receipt to its end and compare what was promised."""
    report = FileReport(item["name"], item["rows"])
    verdict.files.append(report)
    name = item["name"]
    file = next((one for one in AGREED["files"] if fnmatchcase(name, one["pattern"])), None)
    if file is None:
        patterns = "、".join(one["pattern"] for one in AGREED["files"])
        verdict.hold("unreadable", f"{name} 不是约定的文件；约定的文件名为 {patterns}")
        return
    if not is_plain(folder / name):
        verdict.hold("unreadable", f"回执列出了 {name}，文件夹里没有")
        return
    complete = True
    try:
        with (folder / name).open("rb") as opened:
            stream = Hashed(opened)
            try:
                judge_file(records_of(stream, file), file, as_of, report, people)
            except Held as held:
                verdict.hold(held.reason, f"{name}：{held}")
                complete = False
            found = stream.finish()
    except OSError as error:
        verdict.hold("unreadable", f"{name} 无法读取（{type(error).__name__}）")
        return
    if found != item["sha256"].lower():
        verdict.hold("receipt_mismatch", f"{name} 的校验值与回执不符")
    elif complete and report.received != item["rows"]:
        verdict.hold("receipt_mismatch", f"{name} 读到 {report.received} 行，回执为 {item['rows']} 行")


def check_drop(folder: Path, as_of: date) -> Verdict:
    """What becomes of the delivery in `folder` on the day `as_of`; nothing is changed."""
    verdict = Verdict()
    try:
        snapshot, files = read_receipt(folder)
    except OSError:
        verdict.state = "missing"
        verdict.told.append("没有文件夹，或其中没有 receipt.json")
        return verdict
    except Held as held:
        verdict.hold(held.reason, str(held))
        return verdict
    listed = {item["name"] for item in files}
    verdict.unlisted = [name for name in plain_files(folder) if name not in listed]
    age, most = (as_of - snapshot).days, AGREED["max_age_days"]
    if not 0 <= age <= most:
        verdict.hold("stale", f"数据日期 {snapshot} 应在核对日 {as_of} 当天或之前 {most} 天以内")
    people = People() if AGREED["role"] == "people" else None
    for item in files:
        check_listed(folder, item, as_of, verdict, people)
    if len(AGREED["files"]) > 1:
        absent = [file["pattern"] for file in AGREED["files"] if file["pattern"] not in listed]
        if absent:
            verdict.hold("unreadable", f"回执没有列出 {'、'.join(absent)}")
    if people is not None:
        people.finish()
    received = sum(report.received for report in verdict.files)
    bad = sum(len(report.lines) for report in verdict.files)
    if bad > Fraction(AGREED["max_quarantined_share"]) * received:
        share = AGREED["max_quarantined_share"]
        verdict.hold("too_many_bad_rows", f"{received} 行中有 {bad} 行有问题，超过约定的比例 {share}")
    return verdict


# --- what is said ---------------------------------------------------------------------------------------------------


def told(verdict: Verdict, as_of: date) -> Iterator[str]:
    """The report, line by line, in Chinese."""
    yield f"数据来源：{AGREED['title']}（{AGREED['source']}）"
    yield f"核对日：{as_of}；币种、时限和问题行比例按 {AGREED['figures_of']} 有效的规定"
    if verdict.state == "accepted":
        bad = any(report.lines for report in verdict.files)
        yield "结论：可以报送，但有问题行，这些行不会被使用" if bad else "结论：可以报送，全部合格"
    else:
        reason = AGREED["held_words"].get(verdict.reason, "未见文件或回执")
        yield f"结论：整批会被拒收，原因：{reason}"
    for line in verdict.told:
        yield f"  · {line}"
    for report in verdict.files:
        good = report.received - len(report.lines)
        yield (
            f"文件 {report.name}：回执 {report.stated} 行，读到 {report.received} 行，"
            f"合格 {good} 行，有问题 {len(report.lines)} 行"
        )
        for (reason, header), (count, lines) in sorted(report.columns.items(), key=by_reason):
            shown = "、".join(map(str, lines)) + ("……" if count > len(lines) else "")
            about = f"（列“{header}”）" if header else ""
            yield f"  - {AGREED['reason_words'][reason]}{about}：{count} 行，第 {shown} 行"
    for name in verdict.unlisted:
        yield f"提示：{name} 不在回执中，不会被读取"


def by_reason(item: tuple[tuple[str, str], Any]) -> tuple[int, str]:
    return REASONS.index(item[0][0]), item[0][1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="报送前自查：核对一批数据是否符合约定")
    parser.add_argument("folder", type=Path, help="含 receipt.json 和数据文件的文件夹")
    parser.add_argument("--as-of", help="核对日，如 2026-06-30；默认今天")
    parser.add_argument("--lines", type=Path, help="把全部问题行（文件、行号、原因）写到这个 CSV 文件")
    chosen = parser.parse_args(arguments)
    as_of = parse_day(chosen.as_of) if chosen.as_of else date.today()
    if as_of is None:
        parser.error("--as-of 应如 2026-06-30")
    verdict = check_drop(chosen.folder, as_of)
    for line in told(verdict, as_of):
        print(line)
    bad = [(report.name, *row) for report in verdict.files for row in report.bad()]
    if chosen.lines:
        with chosen.lines.open("w", encoding="utf-8-sig", newline="") as sink:
            csv.writer(sink).writerows([("文件", "行号", "原因"), *bad])
    if verdict.state != "accepted":
        return 1
    return 3 if bad else 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
