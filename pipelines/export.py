"""Exports: the only way out for a name or a number. No file appears before the audit log knows of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO, Final, Literal, get_args

import pyarrow as pa

from pipelines.audit import AuditLog
from pipelines.beijing import beijing_text
from pipelines.durable import give_name, unnamed_file
from pipelines.errors import UsageError
from pipelines.identity.keyring import KeyRing
from pipelines.list_files import MOST_ROWS, write_csv, write_workbook
from pipelines.lists import FILES, ListName, read_list
from pipelines.manifest import Manifest, read_manifest

Fmt = Literal["csv", "xlsx"]
TITLES: Final[dict[ListName, str]] = {
    "discrepancies": "核对不符线索",
    "newly-eligible": "疑似新增符合条件线索",
    "quarantine": "隔离记录",
    "explained": "已说明、事实未变的线索",
}
_AREA = re.compile(r"[0-9]{4}([0-9]{2})?")
_PRINCIPLE = "本表是核对线索，只核对不认定；是否符合条件由经办人员调查后依法决定。含个人信息，用后即删。"


@dataclass(frozen=True)
class ExportReceipt:
    """rows: below the header; sha256: of the file, as in the audit log."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class _Request:
    """What is asked for, by whom and why."""

    which: ListName
    as_of: date
    fmt: Fmt
    output: Path
    county: str | None
    source: str | None
    actor: str
    reason: str


def export_list(
    home: Path,
    ring: KeyRing,
    which: ListName,
    as_of: date,
    fmt: Fmt,
    output: Path,
    county: str | None = None,
    source: str | None = None,
    *,
    actor: str,
    reason: str,
) -> ExportReceipt:
    """Write a published list to `output` (mode 0600, replaced in one step) and to the audit log.

    county: six digits, or the four of a city; source: for quarantine alone. The audit entry is written before
    the file gets its name, so a killed export may be in the log without a file, never the other way round;
    what was written of the file is gone with the process.
    Raises UsageError for a request that cannot be met, and what `read_list` and `AuditLog.append` raise.
    """
    request = _Request(which, as_of, fmt, output, county, source, actor.strip(), reason.strip())
    _check(request, home)
    manifest = read_manifest(home, as_of)
    _check_source(request, manifest)
    if request.which == "explained" and FILES["explained"] not in manifest["files"]:
        raise UsageError(
            f"the night of {as_of} set no explained finding apart: it found no explanations of the desk in the home"
        )
    table = read_list(home, as_of, which, ring, county=county, source=source)
    if fmt == "xlsx" and table.num_rows > MOST_ROWS:
        raise UsageError(
            f"{table.num_rows} rows are more than a sheet takes ({MOST_ROWS}); use csv or --county"
        )
    with unnamed_file(output.parent) as file:
        _write(file, table, request, manifest)
        receipt = ExportReceipt(table.num_rows, _sha256(file))
        AuditLog(home, ring).append(
            "export", request.actor, request.reason, _detail(request, manifest, receipt)
        )
        give_name(file, output)
    return receipt


def _check(request: _Request, home: Path) -> None:
    if not request.actor or not request.reason:
        raise UsageError("an export needs --actor (who) and --reason (why), neither of them empty")
    if request.which not in TITLES:
        raise UsageError(f"no list {request.which!r}; wanted one of {', '.join(TITLES)}")
    if request.fmt not in get_args(Fmt):
        raise UsageError(f"no format {request.fmt!r}; wanted one of {', '.join(get_args(Fmt))}")
    if request.county is not None and request.which == "quarantine":
        raise UsageError("quarantined rows belong to no county; leave --county out, or use --source")
    if request.county is not None and not _AREA.fullmatch(request.county):
        raise UsageError(
            "--county is not a division code; wanted the six digits of a county or four of a city"
        )
    if request.source is not None and request.which != "quarantine":
        raise UsageError("--source is for the quarantine list alone")
    _check_output(request.output, home)


def _check_output(output: Path, home: Path) -> None:
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; wanted the name of a file")
    if not output.parent.is_dir():
        raise UsageError(f"--output: the folder {output.parent} is not there; make it first")
    if output.resolve().is_relative_to(home.resolve()):
        raise UsageError("--output lies in the home, which never holds a plain name; choose another folder")


def _check_source(request: _Request, manifest: Manifest) -> None:
    known = manifest["status"]["sources"]
    if request.source is not None and request.source not in known:
        raise UsageError(f"no source {request.source!r} in that night; wanted one of {', '.join(known)}")


def _write(file: BinaryIO, table: pa.Table, request: _Request, manifest: Manifest) -> None:
    if request.fmt == "csv":
        write_csv(table, file)
    else:
        sheet = "隔离清单" if request.which == "quarantine" else "线索清单"
        write_workbook(table, file, sheet, _notes(request, manifest, table.num_rows))


def _notes(request: _Request, manifest: Manifest, rows: int) -> list[tuple[str, str | int]]:
    return [
        ("清单", TITLES[request.which]),
        ("核对截止日", manifest["as_of"]),
        ("筛选：县区", request.county or "全部"),
        ("筛选：数据来源", request.source or "全部"),
        ("行数", rows),
        ("导出人", request.actor),
        ("导出事由", request.reason),
        ("导出时间", beijing_text(datetime.now(UTC))),
        ("封印", manifest["seal"]),
        ("提示", _PRINCIPLE),
    ]


def _detail(request: _Request, manifest: Manifest, receipt: ExportReceipt) -> dict[str, str | int | None]:
    return {
        "list": request.which,
        "as_of": manifest["as_of"],
        "format": request.fmt,
        "county": request.county,
        "source": request.source,
        "rows": receipt.rows,
        "sha256": receipt.sha256,
        "file": request.output.name,
        "seal": manifest["seal"],
    }


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()
