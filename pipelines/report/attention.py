"""What an operator has to do after this night, most urgent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.report.gates import GateRow
from pipelines.report.sources import SourceRow
from pipelines.report.wording import Wording

# Warnings that the report tells under a heading of their own.
_TOLD_ELSEWHERE = frozenset(
    {"source_is_there", "no_unlisted_files", "policy_figures_are_confirmed", "every_county_has_a_standard"}
)


@dataclass(frozen=True)
class Item:
    level: Literal["urgent", "look"]
    title: str
    text: str
    to_do: str = ""


def attention_items(
    manifest: Mapping[str, Any],
    sources: Sequence[SourceRow],
    gates: Sequence[GateRow],
    unlisted: Sequence[tuple[str, Sequence[str]]],
    wording: Wording,
) -> list[Item]:
    """Sources not used, then broken promises, then what only needs a look. Empty after a quiet night."""
    return [
        *_breaches(manifest),
        *(_not_used(row) for row in sources if row.state != "accepted"),
        *_warnings(gates),
        *(_unlisted(name, files) for name, files in unlisted),
        *_policy(manifest["status"]["policy"], wording),
    ]


def _breaches(manifest: Mapping[str, Any]) -> list[Item]:
    used_without = manifest["details"]["authorisation"]["used_without"]
    if not used_without:
        return []
    text = f"有 {used_without:,} 行数据在没有有效授权时被使用。"
    return [Item("urgent", "未经授权使用数据", text, "请立即停用本晚名单并查明原因。")]


def _not_used(row: SourceRow) -> Item:
    why = f"{row.state_name}：{row.reason_name}。" if row.reason_name else f"{row.state_name}。"
    needed = f"需要它的规则：{'、'.join(row.rules)}。这些规则原有的线索，今晚判断不出的列为待复核，不算消除。"
    effect = needed if row.rules else ""
    return Item("urgent", f"{row.name}数据未采用", why + effect, row.to_do)


def _warnings(gates: Sequence[GateRow]) -> list[Item]:
    """One item per expectation, with what each source showed."""
    failed: dict[tuple[str, str], list[GateRow]] = {}
    for row in gates:
        if not row.success and row.expectation not in _TOLD_ELSEWHERE:
            failed.setdefault((row.stage_name, row.description), []).append(row)
    items = []
    for (stage, description), rows in failed.items():
        seen = "；".join(f"{row.source}：{row.observed}" if row.source else row.observed for row in rows)
        level: Literal["urgent", "look"] = "urgent" if rows[0].severity == "critical" else "look"
        why = f" 为何检查：{rows[0].protects}。" if rows[0].protects else ""
        items.append(
            Item(level, f"{stage}检查不符合：{description}", f"{seen}（应为：{rows[0].wanted}）。{why}")
        )
    return items


def _unlisted(name: str, files: Sequence[str]) -> Item:
    text = f"{name}目录里有 {len(files)} 个文件不在回执上，没有读取。"
    return Item("look", "有回执未列的文件", text, "请向报送部门核实是多报还是漏列；名单见下文。")


def _policy(policy: Mapping[str, Any], wording: Wording) -> list[Item]:
    items = []
    if policy["unconfirmed"]:
        text = f"本晚用到 {policy['unconfirmed']} 项未查到正式文件的标准。"
        items.append(
            Item(
                "look",
                "有未经证实的政策标准",
                text,
                "请政策科查到文号、条号后改正 policy/；逐项见“政策标准”。",
            )
        )
    if policy["gaps"]:
        places = "、".join(wording.place(code) for code in policy["gaps"])
        text = f"{places}没有对应的标准，当地家庭没有作收入、财产判断。没有线索不等于没有问题。"
        items.append(Item("look", "有县区缺少标准", text, "请补充当地标准。"))
    return items
