"""Section 2: from files to accepted and quarantined rows, source by source."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl

from .identity import normalise_name, read_id
from .policy import NightFailed, Policy

SOURCES = (
    "roster", "tax", "market_regulation", "banks", "securities", "insurance", "household_registration",
    "rural_revitalisation",
)  # fmt: skip
REASONS = (
    "wrong_column_count", "undecodable_text", "unparseable_record", "id_missing", "id_malformed", "required_missing",
    "money_unparseable", "money_negative", "date_unparseable", "date_in_future", "code_unknown", "currency_unknown",
    "household_head_missing", "household_repeated", "member_repeated", "household_unknown",
)  # fmt: skip
GRADES = ("1", "2", "3", "4")
CATEGORIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
AREAS = ("城镇", "农村")


class Number(str):
    """A JSON or workbook number, kept as it is written."""


@dataclass
class Column:
    header: str
    key: str
    kind: str = "text"  # text id name carried date month money amount code pattern currency scope
    optional: bool = False
    allowed: Any = None  # codes, pattern
    not_in_future: bool = False


@dataclass
class Row:
    source: str
    file: str
    line: int
    raw: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)


@dataclass
class Source:
    name: str
    state: str = "accepted"
    reason: str | None = None
    covers: tuple[str, str] | None = None
    rows: list[Row] = field(default_factory=list)  # all records, quarantined ones too

    @property
    def held(self) -> bool:
        return self.state != "accepted"

    def accepted(self, key: str | None = None) -> list[Row]:
        """Accepted rows; of a held source none. `key` picks the rows that have such a column."""
        if self.held:
            return []
        return [r for r in self.rows if not r.reasons and (key is None or key in r.values)]


class Held(Exception):
    pass


# --- the lists of columns -------------------------------------------------------------------------------------------


def _c(header: str, key: str, kind: str = "text", **more: Any) -> Column:
    return Column(header, key, kind, **more)


def _code(header: str, key: str, *allowed: str, optional: bool = False) -> Column:
    return Column(header, key, "code", optional, allowed)


def _digits(header: str, key: str, count: int) -> Column:
    return Column(header, key, "pattern", False, f"[0-9]{{{count}}}")


HOUSEHOLDS = [
    _c("家庭编号", "household_id"),
    _code("救助类别", "programme", "低保", "特困", "低保边缘", "刚性支出"),
    _digits("县区代码", "county_code", 6),
    _digits("乡镇代码", "township_code", 9),
    _code("城乡", "area", *AREAS),
    _c("认定日期", "c1", "carried"),
    _c("月救助金额", "c2", "carried"),
    _c("申报家庭月收入", "declared_monthly_income", "money"),
    _c("申报金融资产", "declared_financial_assets", "money"),
    _c("年刚性支出", "c3", "carried"),
    _code("状态", "household_status", "在保", "停保"),
]
MEMBERS = [
    _c("家庭编号", "household_id"),
    _c("公民身份号码", "id", "id"),
    _c("姓名", "name", "name", optional=True),
    _code("角色", "role", "成员", "法定义务人"),
    _digits("与户主关系", "relation", 2),
    _code("残疾等级", "disability_grade", *GRADES, optional=True),
    _code("残疾类别", "disability_category", *CATEGORIES, optional=True),
    _code("重病", "severe_illness", "是", "否"),
    _c("劳动能力", "c1", "carried"),
]
AUTHORISATIONS = [
    _c("授权书编号", "c1", "carried"),
    _c("公民身份号码", "id", "id"),
    _c("签署日期", "signed_on", "date"),
    _c("有效期至", "valid_until", "date", optional=True),
    _c("授权范围", "scope", "scope"),
]
TAX = [
    _c("公民身份号码", "id", "id"),
    _c("姓名", "name", "name", optional=True),
    _c("所属期", "tax_month", "month", not_in_future=True),
    _code(
        "所得项目", "income_item", "工资薪金", "劳务报酬", "稿酬", "特许权使用费", "经营所得", "利息股息红利",
        "财产租赁", "财产转让", "偶然所得",
    ),
    _c("收入额", "amount", "amount"),
    _c("扣缴义务人代码", "c1", "carried"),
    _c("扣缴义务人名称", "c2", "carried"),
]  # fmt: skip
MARKET = [
    _c("公民身份号码", "id", "id"),
    _c("姓名", "name", "name", optional=True),
    _code("职务", "role", "法定代表人", "股东", "经营者"),
    _c("统一社会信用代码", "uscc"),
    _c("企业名称", "c1", "carried"),
    _code("企业类型", "entity_type", "企业", "个体工商户", "农民专业合作社"),
    _c("认缴出资额万元", "subscribed_capital", "money"),
    _code("登记状态", "status", "存续", "注销", "吊销"),
    _c("成立日期", "c2", "carried"),
]
BANKS = [
    _c("公民身份号码", "id", "id"),
    _c("姓名", "name", "name", optional=True),
    _c("开户行代码", "institution"),
    _c("账号", "account_no"),
    _code("账户类型", "account_type", "活期", "定期", "理财"),
    _c("币种", "currency", "currency"),
    _c("余额", "balance", "amount"),
    _c("余额日期", "date", "date", not_in_future=True),
]
SECURITIES = [
    _c("id_number", "id", "id"),
    _c("name", "name", "name", optional=True),
    _c("broker_code", "institution"),
    _c("account_no", "account_no"),
    _c("market_value", "market_value", "money"),
    _c("cash_balance", "cash_balance", "amount"),
    _c("currency", "currency", "currency"),
    _c("as_of", "date", "date", not_in_future=True),
]
INSURANCE = [
    _c("policy_no", "policy_no"),
    _c("insurer_code", "insurer_code"),
    _c("holder_id_number", "id", "id"),
    _c("holder_name", "name", "name", optional=True),
    _code("product_type", "product_type", "年金", "两全", "终身寿", "万能", "投连", "定期寿", "健康", "意外"),
    _c("annual_premium", "annual_premium", "money"),
    _c("cash_value", "cash_value", "money"),
    _c("effective_on", "effective_on", "date"),
    _c("expires_on", "expires_on", "date", optional=True),
    _code("status", "status", "有效", "失效", "退保"),
]
REGISTRATION = [
    _c("户号", "register_no"),
    _c("公民身份号码", "id", "id"),
    _c("姓名", "name", "name", optional=True),
    _c("性别", "c1", "carried"),
    _c("出生日期", "c2", "carried"),
    _digits("与户主关系", "relation", 2),
    _c("户籍地代码", "c3", "carried"),
    _code("户籍状态", "status", "正常", "死亡", "迁出", "注销"),
    _c("状态日期", "status_date", "date", optional=True, not_in_future=True),
]
MONITORED = [
    _c("户编号", "household_id"),
    _digits("县区代码", "county_code", 6),
    _digits("乡镇代码", "township_code", 9),
    _code("城乡", "area", *AREAS),
    _c("姓名", "name", "name", optional=True),
    _c("公民身份号码", "id", "id"),
    _digits("与户主关系", "relation", 2),
    _c("监测类型", "c1", "carried"),
    _code("风险是否消除", "risk_eliminated", "是", "否"),
    _c("家庭年人均纯收入", "declared_annual", "money"),
    _c("年刚性支出", "rigid_expenditure", "money"),
    _code("残疾等级", "disability_grade", *GRADES, optional=True),
    _code("残疾类别", "disability_category", *CATEGORIES, optional=True),
    _code("重病", "severe_illness", "是", "否"),
    _c("劳动能力", "c2", "carried"),
    _code("有无法定义务人", "has_obligor", "有", "无"),
    _c("识别日期", "c3", "carried"),
]


def _layout(source: str, file: str) -> tuple[list[Column], str, str]:
    """Columns, encoding, form of a file."""
    if source == "roster":
        columns = {"households.csv": HOUSEHOLDS, "members.csv": MEMBERS, "authorisations.csv": AUTHORISATIONS}
        return columns[file], "utf-8", "csv"
    return {
        "tax": (TAX, "utf-8", "csv"),
        "market_regulation": (MARKET, "gb18030", "csv"),
        "banks": (BANKS, "gb18030", "csv"),
        "securities": (SECURITIES, "utf-8", "jsonl"),
        "insurance": (INSURANCE, "utf-8", "json"),
        "household_registration": (REGISTRATION, "gb18030", "pipes"),
        "rural_revitalisation": (MONITORED, "", "xlsx"),
    }[source]


# --- values ---------------------------------------------------------------------------------------------------------


def parse_date(text: str) -> date | None:
    found = (
        re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
        or re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})", text)
        or re.fullmatch(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", text)
    )
    try:
        return date(*(int(g) for g in found.groups())) if found else None
    except ValueError:
        return None


def parse_month(text: str) -> str | None:
    """As YYYY-MM."""
    found = re.fullmatch(r"([0-9]{4})-?([0-9]{2})", text)
    if not found or not 1 <= int(found[2]) <= 12 or found[1] == "0000":
        return None
    return f"{found[1]}-{found[2]}"


def parse_money(value: str) -> Fraction | None:
    if isinstance(value, Number):
        return Fraction(Decimal(value))
    if re.fullmatch(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?", value):
        return Fraction(Decimal(value.replace(",", "")))
    return None


def month_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


@dataclass
class Night:
    """What reading a value needs to know."""

    as_of: date
    currencies: set[str]


def _read_value(column: Column, cell: str, night: Night) -> tuple[Any, str | None]:
    """(value, reason)"""
    text = Number(cell.strip()) if isinstance(cell, Number) else cell.strip()
    if column.kind == "carried":
        return str(text), None
    if column.kind == "name":
        return str(text), None
    if not text:
        if column.optional:
            return None, None
        return None, "id_missing" if column.kind == "id" else "required_missing"
    match column.kind:
        case "id":
            number = read_id(text, night.as_of)
            return number, None if number else "id_malformed"
        case "date":
            day = parse_date(text)
            if day is None:
                return None, "date_unparseable"
            return day, "date_in_future" if column.not_in_future and day > night.as_of else None
        case "month":
            month = parse_month(text)
            if month is None:
                return None, "date_unparseable"
            return month, "date_in_future" if month > month_of(night.as_of) else None
        case "money" | "amount":
            money = parse_money(text)
            if money is None:
                return None, "money_unparseable"
            return money, "money_negative" if column.kind == "money" and money < 0 else None
        case "code":
            return str(text), None if text in column.allowed else "code_unknown"
        case "pattern":
            return str(text), None if re.fullmatch(column.allowed, text) else "code_unknown"
        case "currency":
            return str(text), None if text in night.currencies else "currency_unknown"
        case "scope":
            known = text == "*" or all(part in SOURCES for part in text.split(";"))
            return str(text), None if known else "code_unknown"
    return str(text), None


def _read_row(row: Row, columns: list[Column], night: Night) -> None:
    unreadable = set()
    for column, cell in zip(columns, row.raw, strict=True):
        row.values[column.key], reason = _read_value(column, cell, night)
        if reason:
            row.reasons.add(reason)
            unreadable.add(column.key)
    if columns is REGISTRATION and row.values["status"] != "正常" and not row.raw[8].strip():
        row.reasons.add("required_missing")  # status_date may be empty only when 正常
    row.values["readable_role"] = "role" not in unreadable
    row.values["name_key"] = normalise_name(row.values.get("name") or "")


# --- files ----------------------------------------------------------------------------------------------------------


def split_csv(line: str) -> list[str] | None:
    """None: a quote is not closed, or the field goes on after it."""
    fields, i = [], 0
    while True:
        if line[i : i + 1] == '"':
            i, text = i + 1, ""
            while True:
                end = line.find('"', i)
                if end < 0:
                    return None
                text += line[i:end]
                i = end + 1
                if line[i : i + 1] != '"':
                    break
                text, i = text + '"', i + 1
            fields.append(text)
            if i == len(line):
                return fields
            if line[i] != ",":
                return None
            i += 1
        else:
            end = line.find(",", i)
            if end < 0:
                return [*fields, line[i:]]
            fields.append(line[i:end])
            i = end + 1


def _lines(data: bytes, encoding: str) -> list[tuple[int, str | None]]:
    """(line number, text or None when undecodable), blank lines left out."""
    if encoding == "utf-8":
        data = data.removeprefix(b"\xef\xbb\xbf")
    found: list[tuple[int, str | None]] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            text = line.removesuffix(b"\r").decode(encoding)
        except UnicodeDecodeError:
            found.append((number, None))
            continue
        if text.strip():
            found.append((number, text))
    return found


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def load_json(text: str) -> Any:
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_no_constant)


def _object_row(row: Row, record: Any, columns: list[Column]) -> Row:
    if isinstance(record, dict):
        row.raw = tuple(_json_text(record.get(c.header)) for c in columns)
    else:
        row.reasons.add("unparseable_record")
    return row


def _read_text_file(
    source: str, file: str, data: bytes, columns: list[Column], encoding: str, form: str
) -> list[Row]:
    rows = []
    lines = _lines(data, encoding)
    headers = [c.header for c in columns]
    if form != "jsonl":
        header = lines.pop(0)[1] if lines else None
        fields = header.split("|") if form == "pipes" and header else split_csv(header or "")
        if [f.strip() for f in fields or []] != headers:
            raise Held("header_mismatch")
    for number, text in lines:
        row = Row(source, file, number)
        rows.append(row)
        if text is None:
            row.reasons.add("undecodable_text")
        elif form == "jsonl":
            try:
                _object_row(row, load_json(text), columns)
            except ValueError:
                row.reasons.add("unparseable_record")
        else:
            fields = text.split("|") if form == "pipes" else split_csv(text)
            if fields is None or len(fields) != len(headers):
                row.reasons.add("wrong_column_count")
            else:
                row.raw = tuple(fields)
    return rows


def _read_json_file(source: str, file: str, data: bytes, columns: list[Column]) -> list[Row]:
    try:
        records = load_json(data.decode("utf-8-sig"))["policies"]
    except (ValueError, KeyError, TypeError):
        raise Held("unreadable") from None
    if not isinstance(records, list):
        raise Held("unreadable")
    return [_object_row(Row(source, file, at), record, columns) for at, record in enumerate(records, start=1)]


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Number(repr(value))
    return str(value)


def _read_workbook(source: str, file: str, data: bytes, columns: list[Column]) -> list[Row]:
    try:
        sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True)["监测对象"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise Held("unreadable") from None
    cells = [[_cell_text(v) for v in row] for row in sheet.iter_rows(values_only=True)]
    width = len(columns)
    if len(cells) < 2 or [c.strip() for c in cells[1] if c.strip()] != [c.header for c in columns]:
        raise Held("header_mismatch")
    rows = []
    for number, row in enumerate(cells[2:], start=3):
        if any(c.strip() for c in row[width:]):
            rows.append(Row(source, file, number, reasons={"wrong_column_count"}))
        elif any(c.strip() for c in row):
            rows.append(Row(source, file, number, tuple((row + [""] * width)[:width])))
    return rows


def _read_file(source: str, file: str, data: bytes, night: Night) -> list[Row]:
    columns, encoding, form = _layout(source, file)
    if form == "xlsx":
        rows = _read_workbook(source, file, data, columns)
    elif form == "json":
        rows = _read_json_file(source, file, data, columns)
    else:
        rows = _read_text_file(source, file, data, columns, encoding, form)
    for row in rows:
        if not row.reasons:
            _read_row(row, columns, night)
    return rows


# --- rows among rows ------------------------------------------------------------------------------------------------


def _keep_one_row_per_member(rows: list[Row]) -> None:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not row.reasons:
            groups.setdefault((row.values["household_id"], row.values["id"].text), []).append(row)
    for group in groups.values():
        group.sort(key=lambda r: (r.values.get("role", "成员") != "成员", tuple(str(f) for f in r.raw)))
        for row in group[1:]:
            row.reasons.add("member_repeated")


def check_roster_rows(rows: list[Row]) -> None:
    households = [r for r in rows if r.file == "households.csv" and r.values]
    ids = [r.values["household_id"] for r in households]
    for row in households:
        if row.values["household_id"] and ids.count(row.values["household_id"]) > 1:
            row.reasons.add("household_repeated")
    accepted = {r.values["household_id"] for r in households if not r.reasons}
    members = [r for r in rows if r.file == "members.csv" and r.values]
    for row in members:
        if row.values["household_id"] and row.values["household_id"] not in accepted:
            row.reasons.add("household_unknown")
    _keep_one_row_per_member(members)


def check_monitored_rows(rows: list[Row]) -> None:
    _keep_one_row_per_member(rows)
    households: dict[str, list[Row]] = {}
    for row in rows:
        if row.values.get("household_id"):
            households.setdefault(row.values["household_id"], []).append(row)
    for group in households.values():
        if sum(not r.reasons and r.values["relation"] == "01" for r in group) != 1:
            for row in group:
                row.reasons.add("household_head_missing")


# --- sources --------------------------------------------------------------------------------------------------------


def read_source(feeds: Path, name: str, policy: Policy, as_of: date) -> Source:
    source = Source(name)
    folder = feeds / name
    if not (folder / "receipt.json").is_file():
        source.state = "missing"
        return source
    reasons: list[str] = []
    night = Night(as_of, set(policy.fx()))
    try:
        receipt = json.loads((folder / "receipt.json").read_text("utf-8-sig"))
        snapshot = date.fromisoformat(receipt["snapshot_date"])
    except (ValueError, KeyError):
        source.state, source.reason = "held", "unreadable"
        return source
    if receipt.get("covers"):
        source.covers = (receipt["covers"][0], receipt["covers"][1])
    for entry in receipt["files"]:
        try:
            data = (folder / entry["name"]).read_bytes()
            rows = _read_file(name, entry["name"], data, night)
            if hashlib.sha256(data).hexdigest() != entry["sha256"] or len(rows) != entry["rows"]:
                reasons.append("receipt_mismatch")
            source.rows += rows
        except OSError:
            reasons.append("unreadable")
        except Held as held:
            mismatch = hashlib.sha256(data).hexdigest() != entry["sha256"]
            reasons.append("receipt_mismatch" if mismatch else str(held))
    if name == "roster":
        check_roster_rows(source.rows)
    if name == "rural_revitalisation":
        check_monitored_rows(source.rows)
    if snapshot > as_of or snapshot < as_of - timedelta(days=policy.max_age_days(name)):
        reasons.append("stale")
    quarantined = sum(bool(r.reasons) for r in source.rows)
    if quarantined > policy.scalar("max_quarantined_share") * len(source.rows):
        reasons.append("too_many_bad_rows")
    order = ("receipt_mismatch", "header_mismatch", "unreadable", "stale", "too_many_bad_rows")
    if reasons:
        source.state, source.reason = "held", min(reasons, key=order.index)
    return source


def read_feeds(feeds: Path, policy: Policy, as_of: date) -> dict[str, Source]:
    sources = {name: read_source(feeds, name, policy, as_of) for name in SOURCES}
    if sources["roster"].held:
        raise NightFailed("the roster is held")
    return sources
