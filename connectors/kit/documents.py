"""What a contract says, as the documents of a data-sharing agreement: dictionary and the two catalogues, in Chinese."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from connectors.contract import Column, Contract, FileContract

_TYPES = {
    "id": "公民身份号码",
    "name": "姓名",
    "text": "文本",
    "identifier": "编号（入库前加密摘要）",
    "code": "代码",
    "digits": "数字代码",
    "currency": "币种代码",
    "date": "日期",
    "month": "月份",
    "money": "金额",
    "scope": "授权范围",
    "carried": "仅传递，不使用",
}
_LEVELS = {"public": "公开", "internal": "内部", "sensitive": "敏感", "identity": "个人身份"}
# The units that contracts name; another one stands as it is written.
_UNITS = {
    "yuan": "元",
    "yuan a month": "元/月",
    "yuan per month": "元/月",
    "yuan a year": "元/年",
    "yuan per person a year": "元/人·年",
    "yuan in 12 months, whole household": "元/户，12个月合计",
    "ten thousand yuan": "万元",
    "units of the currency": "币种的单位",
    "percent": "%",
    "square metres": "平方米",
    "millilitres": "毫升",
}
_FORMATS = {
    "csv": "CSV",
    "pipe": "竖线分隔文本",
    "jsonl": "JSON（每行一条）",
    "json": "JSON",
    "xlsx": "Excel 工作簿",
}
_DICTIONARY = (
    "文件",
    "序号",
    "列名",
    "英文名",
    "类型",
    "必填",
    "取值与限制",
    "单位",
    "含义",
    "敏感级别",
    "是否入库",
)
_CATALOGUE = (
    "目录名称",
    "提供部门",
    "依据",
    "共享类型",
    "共享条件",
    "更新周期",
    "信息项",
    "数据格式",
    "编码",
    "保留天数",
)
_OPEN_CATALOGUE = ("目录名称", "提供部门", "更新周期", "开放属性", "不予开放的理由", "可公开的信息项")


def write_documents(contract: Contract, folder: Path) -> list[Path]:
    """Write 数据字典, 信息共享目录 and 公开目录 of a source as CSV (UTF-8 with BOM, CRLF). Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = {
        "数据字典": data_dictionary(contract),
        "信息共享目录": [_CATALOGUE, *(_shared(contract, file) for file in contract.files)],
        "公开目录": [_OPEN_CATALOGUE, *(_open(contract, file) for file in contract.files)],
    }
    paths = []
    for name, rows in documents.items():
        sink = io.StringIO(newline="")
        csv.writer(sink, lineterminator="\r\n").writerows([[_cell(text) for text in row] for row in rows])
        path = folder / f"{contract.source}-{name}.csv"
        path.write_bytes(b"\xef\xbb\xbf" + sink.getvalue().encode())
        paths.append(path)
    return paths


def data_dictionary(contract: Contract) -> list[Sequence[str]]:
    """Header and one row per column of every file."""
    rows: list[Sequence[str]] = [_DICTIONARY]
    for file in contract.files:
        rows += [_described(file, number, column) for number, column in enumerate(file.columns, 1)]
    return rows


def _described(file: FileContract, number: int, column: Column) -> Sequence[str]:
    kept = column.type not in ("id", "name", "carried")
    return (
        file.pattern,
        str(number),
        column.header,
        column.name,
        _TYPES[column.type],
        _required(column),
        _limits(column),
        _UNITS.get(column.unit, column.unit),
        column.means or column.header,
        _LEVELS.get(column.sensitivity, column.sensitivity),
        "是" if kept else "否（仅用于比对）" if column.type in ("id", "name") else "否",
    )


def _required(column: Column) -> str:
    if column.empty_only_when:
        return f"仅当 {column.empty_only_when[0]} 为“{column.empty_only_when[1]}”时可空"
    return "否" if column.optional or column.type == "carried" else "是"


def _limits(column: Column) -> str:
    said = ["、".join(column.values)] if column.values else []
    said += [f"{column.length} 位数字"] if column.length else []
    said += ["不为负"] if column.not_negative else []
    said += ["不晚于核对日"] if column.not_future else []
    return "；".join(said)


def _shared(contract: Contract, file: FileContract) -> Sequence[str]:
    condition = (
        "社会救助家庭经济状况核对，须有本人有效授权" if contract.authorisation else "社会救助家庭经济状况核对"
    )
    items = "、".join(column.header for column in file.columns)
    return (
        f"{contract.title}（{file.key}）",
        contract.owner,
        contract.legal_basis,
        "有条件共享",
        condition,
        contract.cadence,
        items,
        _FORMATS[file.format],
        file.encoding.upper(),
        str(contract.retain_days),
    )


def _open(contract: Contract, file: FileContract) -> Sequence[str]:
    public = [column.header for column in file.columns if column.sensitivity == "public"]
    personal = any(column.sensitivity in ("identity", "sensitive") for column in file.columns)
    reason = "含个人信息" if personal else "" if public else "未标明可公开的信息项"
    return (
        f"{contract.title}（{file.key}）",
        contract.owner,
        contract.cadence,
        "不予开放" if reason else "开放",
        reason,
        "" if personal else "、".join(public),
    )


def _cell(text: str) -> str:
    """A contract is another's text: no cell may begin a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
