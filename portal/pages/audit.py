"""For auditors: every download and opened number, the chain, and the nights' quality; no names, no cases."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, select
from starlette.responses import HTMLResponse, Response

from pipelines.beijing import beijing_day
from pipelines.errors import HeduiError
from pipelines.manifest import night_folder, read_manifest
from policy.codes import load_codes
from portal.codes import action_names, source_names
from portal.desk import Desk
from portal.errors import NotFound
from portal.listing import TITLES
from portal.pages.audit_log import KINDS, log_page
from portal.routing import page
from portal.schema import Download, Night, Reveal, User

_SHOWN = 500
# What each night used is read from its manifest; of older ones the report is reached by its day.
_NIGHTS_IN_FULL = 60
# The report carries its own styles; it is shown without scripts, forms or a way to this origin.
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@page("GET", "/audit", may="read_audit", long=True)
def show_audit(desk: Desk) -> Response:
    return _render(desk)


@page("POST", "/audit/verify", may="read_audit")
def verify_chain(desk: Desk) -> Response:
    """Read the whole log and say whether it is whole, or which entry is the first broken one."""
    finding = desk.office.journal.log.verify()
    if finding is None:
        desk.record("chain_verified")
    return _render(
        desk,
        verdict=str(finding) if finding else "日志完整：每一条的哈希、签名和顺序都相符。",
        broken=finding is not None,
    )


@page("POST", "/audit/trace", may="read_audit")
def trace_row(desk: Desk) -> Response:
    """Which download a leaked row came from, by its check code or mark."""
    typed = desk.fields.text("code", "行校验码", limit=200)
    words = [part for word in typed.split() for part in word.split(".")]
    found = desk.db.execute(_downloads(desk).where(Download.canary.in_(words))).first()
    desk.record("row_traced", found=found is not None)
    return _render(desk, traced=found, trace_asked=True)


@page("GET", "/audit/nights/{as_of}", may="read_audit")
def show_report(desk: Desk) -> Response:
    """The quality report of a night, as the pipeline wrote it."""
    try:
        manifest = read_manifest(desk.settings.home, date.fromisoformat(desk.request.path_params["as_of"]))
        content = (night_folder(desk.settings.home, manifest) / "report.html").read_text("utf-8")
    except (ValueError, OSError, HeduiError):
        raise NotFound("这一夜没有质量报告。") from None
    return HTMLResponse(content, headers={"content-security-policy": _REPORT_POLICY})


def _downloads(desk: Desk) -> Select[*tuple[Any, ...]]:
    """Downloads by officers of the auditor's region."""
    return (
        select(Download, User.login, User.display_name, User.region)
        .join(User, User.id == Download.user_id)
        .where(User.region.startswith(desk.viewer.region))
        .order_by(Download.id.desc())
    )


def _render(
    desk: Desk, verdict: str = "", broken: bool = False, traced: object = None, trace_asked: bool = False
) -> Response:
    nights = list(desk.db.scalars(select(Night).order_by(Night.as_of.desc()).limit(_NIGHTS_IN_FULL)))
    earlier = select(Night.as_of).order_by(Night.as_of.desc()).offset(_NIGHTS_IN_FULL)
    return desk.render(
        "audit.html",
        downloads=desk.db.execute(_downloads(desk).limit(_SHOWN)).all(),
        reveals=_reveals(desk),
        nights=[(night, json.loads(night.manifest)["status"]) for night in nights],
        earlier_nights=list(desk.db.scalars(earlier)),
        log=log_page(desk),
        kinds={kind: name for kind, (name, _) in KINDS.items()},
        sources=source_names(),
        source_state=load_codes().source_states.name,
        held_reason=load_codes().held_reasons.name,
        actions=action_names(),
        titles=TITLES,
        verdict=verdict,
        broken=broken,
        traced=traced,
        trace_asked=trace_asked,
    )


def _reveals(desk: Desk) -> list[tuple[str, str, int]]:
    """Opened numbers per officer and day in Beijing, most first; of the last year."""
    rows = desk.db.execute(
        select(User.login, Reveal.at)
        .join(User, User.id == Reveal.user_id)
        .where(Reveal.at > desk.now - timedelta(days=366))
    )
    counted = Counter((login, beijing_day(at).isoformat()) for login, at in rows)
    return [(login, day, count) for (login, day), count in counted.most_common(_SHOWN)]
