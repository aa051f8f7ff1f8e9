"""The draft of a letter to a department whose delivery was held: what was found, what was agreed, what to send again.

It is made from a published manifest and the contract, and on demand from the masked shapes of the delivery, so it
can hold no value of a person.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from connectors.contract import Column, Contract
from pipelines.drift_shapes import shapes_of_feed
from pipelines.errors import UsageError
from pipelines.manifest import Manifest, latest_before, read_manifest
from policy.codes import load_codes

# The types of column that a reason speaks about; the others are about the whole row.
_ABOUT = {
    "id_missing": ("id",),
    "id_malformed": ("id",),
    "money_unparseable": ("money",),
    "money_negative": ("money",),
    "date_unparseable": ("date", "month"),
    "date_in_future": ("date", "month"),
    "code_unknown": ("code", "digits", "scope"),
    "currency_unknown": ("currency",),
}

# How values are to be written (specification, section 2).
_WRITTEN = {
    "id": "18 位或 15 位公民身份号码",
    "date": "日期，如 2026-06-29、20260629 或 2026/6/29",
    "month": "月份，如 202605 或 2026-05",
    "money": "金额，十进制数字，可有千位逗号",
    "currency": "币种代码，如 CNY",
}


def draft_letter(home: Path, contract: Contract, as_of: date, feed: Path | None = None) -> str:
    """The letter, as Chinese text. feed: the folder of the held delivery, whose faulty columns' shapes are added.

    Raises NightNotPublished, UsageError for a source that was accepted and for a feed of another delivery.
    """
    night = read_manifest(home, as_of)
    status = night["status"]["sources"].get(contract.source)
    if status is None or status["state"] == "accepted":
        state = "was not part of" if status is None else "was accepted on"
        raise UsageError(
            f"{contract.source} {state} the night of {as_of}; wanted a source that was held or missing"
        )
    lines = [
        f"关于“{contract.title}”数据报送情况的函（草稿）",
        "",
        f"{contract.owner}：",
        "",
        f"在 {as_of} 的社会救助家庭经济状况核对中，{_outcome(status['state'])}",
        "",
        "一、情况",
        f"原因：{load_codes().held_reasons.name(status['reason'])}。"
        if status["reason"]
        else "原因：未见文件或回执。",
        *_delivered(night, contract.source),
        "",
        "二、逐项原因（行数）",
        *_reasons(night, contract),
        "",
        "三、问题字段的样式",
        *_shapes(night, contract, as_of, feed),
        "",
        "四、约定的列",
        *(line for file in contract.files for line in _agreed(file.pattern, file.columns)),
        "",
        "五、请重新报送",
        f"请将全部文件连同 receipt.json 一并重新报送，数据日期须在 {as_of} 之前 "
        f"{night['details']['freshness'].get(contract.source, {}).get('max_age_days', '约定')} 天以内。",
        _last_good(home, contract.source, as_of),
        "",
        f"依据：{contract.legal_basis}",
    ]
    return "\n".join(lines) + "\n"


def _outcome(state: str) -> str:
    if state == "missing":
        return "未收到贵单位的数据。"
    return "贵单位报送的数据未被采用，当晚未使用其中任何记录。"


def _delivered(night: Manifest, source: str) -> list[str]:
    given: dict[str, Any] = night["inputs"].get(source, {})
    lines = [f"数据日期：{given['snapshot_date']}。"] if given.get("snapshot_date") else []
    lines += [f"文件 {file['name']}：回执行数 {file['rows']}。" for file in given.get("files", ())]
    return lines


def _reasons(night: Manifest, contract: Contract) -> list[str]:
    counts = night["details"]["quarantine_reasons"].get(contract.source, {})
    names = load_codes().quarantine_reasons
    lines = []
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        kinds = _ABOUT.get(reason, ())
        columns = [
            column.header for file in contract.files for column in file.columns if column.type in kinds
        ]
        about = f"（可能涉及的列：{'、'.join(dict.fromkeys(columns))}）" if columns else ""
        lines.append(f"- {names.name(reason)}：{count} 行{about}")
    return lines or ["- 未逐行判定：问题出在整批文件。"]


def _shapes(night: Manifest, contract: Contract, as_of: date, feed: Path | None) -> list[str]:
    if feed is None:
        return ["- 未附。"]
    lines = shapes_of_feed(contract, feed, as_of, night["inputs"].get(contract.source, {}))
    return lines if len(lines) > 1 else ["- 没有逐列的问题。"]


def _agreed(pattern: str, columns: tuple[Column, ...]) -> list[str]:
    lines = [f"{pattern}，共 {len(columns)} 列，依次为："]
    for number, column in enumerate(columns, 1):
        needed = "可空" if column.optional or column.type == "carried" else "必填"
        written = f"，{_WRITTEN[column.type]}" if column.type in _WRITTEN else ""
        values = f"，取值：{'、'.join(column.values)}" if column.values else ""
        lines.append(f"  {number}. {column.header}（{needed}{written}{values}）")
    return lines


def _last_good(home: Path, source: str, as_of: date) -> str:
    day = as_of
    while (night := latest_before(home, day)) is not None:
        day = date.fromisoformat(night["as_of"])
        if night["status"]["sources"].get(source, {}).get("state") == "accepted":
            return f"最近一次采用的数据日期为 {night['inputs'][source]['snapshot_date']}（{day} 的核对）。"
    return "此前没有采用过该来源的数据。"
