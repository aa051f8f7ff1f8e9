"""What a page gets: the viewer, a session that shows only the viewer's place, the form, and ways to answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pipelines.beijing import beijing_day
from portal import permissions
from portal.auth.sessions import SignedIn
from portal.errors import Forbidden
from portal.forms import Fields
from portal.journal import Journal
from portal.scope import ScopedSession, Viewer
from portal.sealing import Vault
from portal.settings import Settings


@dataclass(frozen=True)
class Office:
    """What all requests share."""

    settings: Settings
    engine: Engine
    vault: Vault
    journal: Journal
    templates: Environment


@dataclass
class Desk:
    """One request. `viewer` and `session` are None on the pages before signing in."""

    office: Office
    request: Request
    fields: Fields
    db: ScopedSession
    now: datetime
    viewer_or_none: Viewer | None = None
    session: SignedIn | None = None
    anonymous_csrf: str = ""

    @property
    def viewer(self) -> Viewer:
        if self.viewer_or_none is None:
            raise Forbidden()
        return self.viewer_or_none

    @property
    def today(self) -> date:
        return beijing_day(self.now)

    @property
    def path(self) -> str:
        """Where the page stands on the desk, without its query."""
        return str(self.request.scope["path"])

    @property
    def page_number(self) -> int:
        """The page of a long table that the address asks for, from 1; 1 when it asks for none."""
        typed = self.request.query_params.get("page", "")
        return max(1, int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1

    @property
    def csrf(self) -> str:
        return self.session.csrf if self.session else self.anonymous_csrf

    @property
    def vault(self) -> Vault:
        return self.office.vault

    @property
    def settings(self) -> Settings:
        return self.office.settings

    def may(self, what: str) -> bool:
        return self.viewer_or_none is not None and permissions.may(self.viewer_or_none.role, what)

    def require(self, what: str) -> None:
        if not self.may(what):
            raise Forbidden()

    def record(self, kind: str, **details: Any) -> None:
        """Write to the audit log, durably, before the answer leaves."""
        actor = self.viewer_or_none.login if self.viewer_or_none else "-"
        self.office.journal.record(kind, actor, details)

    def render(self, template: str, status: int = 200, **context: Any) -> Response:
        page = self.office.templates.get_template(template)
        return HTMLResponse(page.render(desk=self, today=self.today, **context), status_code=status)

    def redirect(self, path: str, **query: str | int) -> Response:
        """See-other, so that reloading a page never repeats the work."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)
