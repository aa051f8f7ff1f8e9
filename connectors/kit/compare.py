"""What a new version of a contract breaks, in the words a department and its engineers read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.contract import Column, Contract, ContractError, FileContract
from connectors.kit.scaffold import parse_text

BREAKS, TIGHTENS, LOOSENS, TELLS = "中断", "收紧", "放宽", "说明"
_TOLD = ("title", "owner", "legal_basis", "cadence", "retain_days")
_MEANING = {
    "title": "名称",
    "owner": "提供部门",
    "legal_basis": "依据",
    "cadence": "更新周期",
    "retain_days": "保留天数",
}


@dataclass(frozen=True)
class Change:
    """severity: 中断 files of the old shape are held; 收紧 rows that passed are quarantined; 放宽 more passes; 说明."""

    severity: str
    what: str

    def __str__(self) -> str:
        return f"【{self.severity}】{self.what}"


def read_version(path: Path) -> Contract:
    """A version of a contract, wherever it lies and whatever the file is called. Raises ContractError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{path.name}: cannot be read ({type(error).__name__})") from None
    first = next((line for line in text.splitlines() if line.startswith("source")), "")
    return parse_text(first.partition("=")[2].strip().strip("\"'") or "nameless", text)


def compare(old: Contract, new: Contract) -> list[Change]:
    """What changes from `old` to `new`, the worst first."""
    order = (BREAKS, TIGHTENS, LOOSENS, TELLS)
    return sorted(_changes(old, new), key=lambda change: order.index(change.severity))


def _changes(old: Contract, new: Contract) -> Iterator[Change]:
    if old.source != new.source:
        yield Change(BREAKS, f"数据来源由 {old.source} 改为 {new.source}")
    if old.authorisation != new.authorisation:
        severity = TIGHTENS if new.authorisation else LOOSENS
        yield Change(severity, "改为须有本人授权才能使用" if new.authorisation else "改为无需本人授权")
    for key in _TOLD:
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield Change(TELLS, f"{_MEANING[key]}由“{before}”改为“{after}”")
    files = {file.key: file for file in new.files}
    for file in old.files:
        if file.key in files:
            yield from _file_changes(file, files.pop(file.key))
        else:
            yield Change(BREAKS, f"不再接收文件 {file.key}（{file.pattern}）")
    for file in files.values():
        yield Change(BREAKS, f"新增文件 {file.key}（{file.pattern}）")


def _file_changes(old: FileContract, new: FileContract) -> Iterator[Change]:
    shape = {
        "pattern": "文件名",
        "format": "格式",
        "encoding": "编码",
        "root": "数组键",
        "sheet": "工作表",
        "header_row": "表头行",
    }
    for key, word in shape.items():
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield Change(BREAKS, f"{word}由 {before or '无'} 改为 {after or '无'}")
    before_names = [column.name for column in old.columns]
    after_names = [column.name for column in new.columns]
    # JSON is read by key: an order, or a key more that nobody reads, means nothing there.
    positional = new.format not in ("json", "jsonl")
    for column in old.columns:
        if column.name not in after_names:
            yield Change(BREAKS if positional else LOOSENS, f"删除列“{column.header}”")
    for column in new.columns:
        if column.name not in before_names:
            harmless = not positional and (column.optional or column.type == "carried")
            yield Change(LOOSENS if harmless else BREAKS, f"新增列“{column.header}”")
    kept = [name for name in before_names if name in after_names]
    if positional and kept != [name for name in after_names if name in before_names]:
        yield Change(BREAKS, "列的顺序改变")
    for name in kept:
        yield from _column_changes(old.column(name), new.column(name))


def _column_changes(old: Column, new: Column) -> Iterator[Change]:
    said = f"列“{old.header}”"
    if old.header != new.header:
        yield Change(BREAKS, f"{said}改名为“{new.header}”")
    if old.type != new.type:
        severity = LOOSENS if new.type == "carried" else TIGHTENS if old.type == "carried" else BREAKS
        yield Change(severity, f"{said}的类型由 {old.type} 改为 {new.type}")
    if old.length != new.length and old.type == new.type:
        yield Change(BREAKS, f"{said}的位数由 {old.length} 改为 {new.length}")
    gone = [value for value in old.values if value not in new.values]
    more = [value for value in new.values if value not in old.values]
    if gone and new.values:
        yield Change(TIGHTENS, f"{said}不再接受代码：{'、'.join(gone)}")
    if more and old.values:
        yield Change(LOOSENS, f"{said}新增代码：{'、'.join(more)}")
    for key, tighter, looser in (
        ("not_negative", "不得为负", "可以为负"),
        ("not_future", "不得晚于核对日", "可以晚于核对日"),
    ):
        if getattr(old, key) != getattr(new, key):
            yield Change(
                TIGHTENS if getattr(new, key) else LOOSENS,
                f"{said}{tighter if getattr(new, key) else looser}",
            )
    before, after = _emptiness(old), _emptiness(new)
    if before != after:
        words = ("必填", "仅在特定代码下可空", "可空")
        severity = TIGHTENS if after < before else LOOSENS
        yield Change(severity, f"{said}由{words[before]}改为{words[after]}")
    elif old.empty_only_when != new.empty_only_when:
        yield Change(TIGHTENS, f"{said}可空的条件改变")
    if old.unit != new.unit:
        yield Change(BREAKS, f"{said}的单位由“{old.unit or '未写'}”改为“{new.unit or '未写'}”")
    if old.sensitivity != new.sensitivity:
        yield Change(TELLS, f"{said}的敏感级别由 {old.sensitivity} 改为 {new.sensitivity}")


def _emptiness(column: Column) -> int:
    if column.optional or column.type == "carried":
        return 2
    return 1 if column.empty_only_when else 0
