"""The entries of the audit log that concern an auditor's region, by kind, newest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from pipelines.audit import AuditBroken
from pipelines.audit_entry import Entry
from portal.desk import Desk
from portal.schema import User

KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "": ("全部", frozenset()),
    "out": ("导出和下载", frozenset({"export", "desk.download", "query"})),
    "seen": (
        "查看号码、档案和单户核对",
        frozenset(
            {
                "desk.reveal",
                "desk.dossier",
                "desk.attachment_opened",
                "household_check",
                "household_check_opened",
            }
        ),
    ),
    "decided": (
        "决定和复核",
        frozenset(
            f"desk.{kind}"
            for kind in ("proposed", "decided", "second_agreed", "second_returned", "upheld", "rejected")
        ),
    ),
    "explained": ("说明", frozenset({"desk.explained", "desk.lifted"})),
    "refused": (
        "被拒绝的",
        frozenset(
            f"desk.{kind}"
            for kind in ("denied", "sign_in_refused", "account_locked", "csrf_refused", "rate_refused")
        ),
    ),
    "nights": (
        "发布和载入",
        frozenset({"publish", "published", "desk.night_loaded", "retire", "retention", "mend"}),
    ),
}
PAGE_ROWS = 200
_DESK = "desk."


@dataclass(frozen=True)
class LogPage:
    """kind: a key of KINDS; at: from 1; total: entries of the kind. The log is shown as far as it can be read."""

    kind: str
    at: int
    total: int
    entries: list[Entry]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_ROWS))


def log_page(desk: Desk) -> LogPage:
    asked, at = desk.request.query_params.get("kind", ""), desk.page_number
    kind = asked if asked in KINDS else ""
    wanted = KINDS[kind][1]
    regions = {login: region for login, region in desk.db.execute(select(User.login, User.region)).all()}
    found: list[Entry] = []
    try:
        for entry in desk.office.journal.log.entries():
            if (not wanted or entry.action in wanted) and _concerns(entry, desk.viewer.region, regions):
                found.append(entry)
    except AuditBroken:
        # What stands before the break is shown; the verification names the entry.
        pass
    newest = found[::-1]
    return LogPage(kind, at, len(found), newest[(at - 1) * PAGE_ROWS : at * PAGE_ROWS])


def _concerns(entry: Entry, region: str, regions: dict[str, str]) -> bool:
    """An entry about a county concerns those over it; another one of the desk, those over its officer."""
    county = entry.detail.get("county")
    if county:
        return str(county).startswith(region) or region.startswith(str(county))
    if entry.action.startswith(_DESK) and entry.actor in regions:
        return regions[entry.actor].startswith(region)
    return True
