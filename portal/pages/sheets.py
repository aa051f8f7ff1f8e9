"""Taking a list along, and bringing answers back."""

from __future__ import annotations

from starlette.responses import Response

from portal.desk import Desk
from portal.downloads import MEDIA, take_sheet
from portal.errors import TooLarge
from portal.pages.lists import filters_of
from portal.rates import check_downloads
from portal.roundtrip import take_back
from portal.routing import page
from portal.sheet import read_leads, show_rows


@page("POST", "/lists/{slug}/download", may="download")
def download(desk: Desk) -> Response:
    """All rows of the list's filters, as shown; told to the audit log with count and hash before they leave."""
    filters = filters_of(desk)
    kind = desk.fields.choice("format", "格式", MEDIA)
    check_downloads(desk.db, desk.viewer.user_id, desk.now, desk.settings)
    leads = read_leads(desk.db, filters, desk.viewer, desk.today)
    rows = show_rows(leads, filters.list, desk.vault, desk.today, people=desk.may("see_people"))
    taken = take_sheet(desk.db, filters, rows, kind, desk.viewer, desk.vault, desk.now)
    desk.record(
        "download",
        list=filters.list,
        format=kind,
        filters=taken.ledger.filters,
        rows=len(rows),
        sha256=taken.ledger.sha256,
        canary=taken.ledger.canary,
    )
    headers = {"content-disposition": f'attachment; filename="{taken.file_name}"'}
    return Response(taken.content, media_type=MEDIA[kind], headers=headers)


@page("GET", "/upload", may="upload")
def show_upload(desk: Desk) -> Response:
    return desk.render("upload.html", returned=None)


@page("POST", "/upload", may="upload")
def upload(desk: Desk) -> Response:
    file = desk.fields.file("file", "表格")
    content = file.file.read(desk.settings.upload_bytes + 1)
    if len(content) > desk.settings.upload_bytes:
        raise TooLarge("表格过大。")
    return desk.render("upload.html", returned=take_back(desk, content))
