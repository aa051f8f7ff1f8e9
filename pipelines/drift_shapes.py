"""What the faulty columns of a held delivery look like, read again from the feed: rule, column, rows, masked shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from connectors.contract import Contract, FileContract
from connectors.feeds import DirectoryFeed, is_plain_name
from connectors.kit.department_file import load_department_check
from connectors.kit.shapes import LEGEND, Shapes
from pipelines.connector_figures import figures_of
from pipelines.errors import UsageError
from pipelines.intake.files import contract_of
from policy.codes import load_codes


def shapes_of_feed(contract: Contract, feed: Path, as_of: date, delivered: dict[str, Any]) -> list[str]:
    """Lines in Chinese for every file of a delivery, with no value of a person.

    feed: the folder of the delivery; delivered: what the night's manifest says it was. Raises UsageError when the
    folder holds another delivery than that night's.
    """
    if feed.name != contract.source:
        raise UsageError(f"--feed wants the delivery's folder, which is called {contract.source}")
    _refuse_another(feed, delivered)
    check = load_department_check(contract, figures_of(contract, as_of))
    files = {file["key"]: file for file in check.AGREED["files"]}
    lines = [f"（{LEGEND}；少于 5 行的形状不列出）"]
    folder = DirectoryFeed(contract.source, feed)
    for listed in delivered.get("files", ()):
        file = contract_of(contract, listed["name"]) if is_plain_name(listed["name"]) else None
        if file is not None:
            lines += _of_file(check, folder, listed["name"], files[file.key], as_of)
            lines += _header_of_file(check, folder, listed["name"], file)
    return lines


def _refuse_another(feed: Path, delivered: dict[str, Any]) -> None:
    try:
        receipt = json.loads((feed / "receipt.json").read_bytes())
        found = sorted((item["name"], item["sha256"].lower()) for item in receipt["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        found = None
    if found != sorted((file["name"], file["sha256"]) for file in delivered.get("files", ())):
        raise UsageError(
            f"{feed} holds another delivery than that night's, or no receipt; wanted the very files the night read"
        )


def _of_file(check: Any, feed: DirectoryFeed, name: str, file: dict[str, Any], as_of: date) -> Iterator[str]:
    seen: dict[tuple[str, str], Shapes] = {}

    class Report(check.FileReport):  # type: ignore[misc]  # the class of a module made at run time
        def blame(self, line: int, bit: int, header: str, text: str = "") -> None:
            if header:
                reason = check.REASONS[bit.bit_length() - 1]
                seen.setdefault((reason, header), Shapes()).add(text.strip())

    try:
        with feed.open(name) as stream:
            records = check.records_of(check.Hashed(stream), file)
            check.judge_file(records, file, as_of, Report(name, 0), None)
    except (OSError, check.Held):
        return
    words = load_codes().quarantine_reasons
    for (reason, header), shapes in sorted(seen.items(), key=lambda item: (-item[1].rows, item[0])):
        yield f"- {name}，列“{header}”，{words.name(reason)}：{'；'.join(shapes.told())}"


def _header_of_file(check: Any, feed: DirectoryFeed, name: str, file: FileContract) -> Iterator[str]:
    """Which agreed columns a header lacks. What else it holds is not told: it may be a row of a person."""
    if file.format not in ("csv", "pipe"):
        return
    try:
        with feed.open(name) as stream:
            raw = next((line for line in stream if line.strip()), b"").removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return
    fields = check.split_record(check.decoded(raw, file.encoding) or "", file.separator, file.quoted) or []
    found, wanted = [field.strip() for field in fields], [column.header for column in file.columns]
    if found == wanted:
        return
    lacking = [header for header in wanted if header not in found]
    strange = sum(field not in wanted for field in found)
    order = "" if lacking or strange else "列的顺序不同；"
    lack = f"缺少约定的列：{'、'.join(lacking)}；" if lacking else ""
    yield f"- {name}，表头：{lack}{order}另有 {strange} 列不在约定中"
