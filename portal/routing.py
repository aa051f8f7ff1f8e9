"""One way in for every page: session, role, CSRF, rate, scope, in this order, before the page runs."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from anyio import CapacityLimiter, to_thread
from psycopg.errors import DeadlockDetected
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from portal import permissions
from portal.auth.sessions import STAGE_FULL, SignedIn, cookie_name, find_session, sign_in_csrf
from portal.database import is_taken
from portal.desk import Desk, Office
from portal.errors import Busy, Conflict, DeskError, Forbidden, NotFound, SignedOut, TooMany
from portal.forms import Fields
from portal.rates import RequestRate
from portal.schema import DeskSession
from portal.scope import ScopedSession, open_machine_session

_log = logging.getLogger("portal")
BROWSER_COOKIE = "desk-browser"
_FORM_FIELDS = 2000
# Forms on households; never one that holds a password.
_WORKED_ON = ("/cases/", "/coverage/")
_LONG_ENOUGH = 6

# How many pages of a kind one process works on at once.
AT_ONCE = {"reading": 2, "long": 2, "writing": 8}
# A click tells that somebody is there; told to the database only so often.
_SEEN_AGAIN = timedelta(minutes=1)
# Where a half-finished sign-in goes on.
STAGE_PAGES = {"code": "/sign-in/code", "enrol": "/sign-in/enrol", "change": "/account/password"}


@dataclass(frozen=True)
class Page:
    """may: a permission of portal.permissions; None for the pages before signing in.

    stages: the sign-in stages that may come here besides the full one.
    writes: whether it changes the database. kind: whom it waits for (AT_ONCE); what only reads waits for nobody who
    writes or who reads everything.
    """

    method: str
    path: str
    may: str | None
    show: Callable[[Desk], Response]
    stages: tuple[str, ...]
    writes: bool
    kind: str


PAGES: list[Page] = []


def page(
    method: str,
    path: str,
    *,
    may: str | None,
    stages: tuple[str, ...] = (),
    reads: bool = False,
    long: bool = False,
) -> Callable[..., Any]:
    """Put a function on the desk. GET must not change anything; what changes something is POST and has CSRF.

    reads: of a POST that changes nothing either, and is one only to keep what was typed out of the address.
    long: of a page that only reads, but so much that nobody should wait behind it.
    """

    def register(show: Callable[[Desk], Response]) -> Callable[[Desk], Response]:
        if any((known.method, known.path) == (method, path) for known in PAGES):
            raise ValueError(f"{method} {path} has two pages")
        writes = method == "POST" and not reads
        kind = "writing" if writes else "long" if long else "reading"
        PAGES.append(Page(method, path, may, show, stages, writes, kind))
        return show

    return register


class Seats:
    """How many pages one process works on at once; the others wait in the order they came.

    More threads make nothing quicker in one process and each of them slower: two, so that one works while the other's
    database does. What writes may have to wait for another writer, and the statistics of a province are long, so they
    have seats of their own: a list is never kept waiting by them.
    """

    def __init__(self) -> None:
        self._limiters = {kind: CapacityLimiter(seats) for kind, seats in AT_ONCE.items()}

    async def run(self, target: Page, answer: Callable[[], Response]) -> Response:
        return await to_thread.run_sync(answer, limiter=self._limiters[target.kind])


def endpoint(
    target: Page, office: Office, rate: RequestRate, seats: Seats
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The Starlette endpoint of a page. Pages are plain functions and run in a thread."""

    async def serve(request: Request) -> Response:
        form = FormData()
        if request.method == "POST":
            form = await request.form(max_files=1, max_fields=_FORM_FIELDS)
        try:
            return await seats.run(target, partial(_answer, target, office, rate, request, form))
        except Exception:
            _log.exception("%s %s failed", target.method, target.path)
            return PlainTextResponse("系统出错，已记录；没有保存任何内容。请稍后再试。", status_code=500)
        finally:
            await form.close()

    return serve


def _answer(target: Page, office: Office, rate: RequestRate, request: Request, form: FormData) -> Response:
    try:
        return _answer_in_turn(target, office, rate, request, form)
    except OperationalError as error:
        if not is_taken(error):
            raise
        # Reading goes on meanwhile.
        with open_machine_session(office.engine) as db:
            return _refusal(_seated(office, request, db, Fields(form), office.settings.now()), Busy())


def _answer_in_turn(
    target: Page, office: Office, rate: RequestRate, request: Request, form: FormData
) -> Response:
    browser = request.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(24)
    now = office.settings.now()
    with open_machine_session(office.engine, writes=target.writes) as db:
        desk = _seated(office, request, db, Fields(form), now)
        desk.anonymous_csrf = sign_in_csrf(office.settings, browser)
        try:
            response = _stopped_at_the_door(target, desk, rate, request) or target.show(desk)
            if target.writes:
                db.commit()
        except (StaleDataError, OperationalError) as error:
            if isinstance(error, OperationalError) and not isinstance(error.orig, DeadlockDetected):
                raise
            db.rollback()
            response = _refusal(desk, Conflict())
        except DeskError as error:
            db.rollback()
            response = _refusal(desk, error)
    if target.may is None and desk.session is None:
        response.set_cookie(
            BROWSER_COOKIE, browser, httponly=True, samesite="strict", secure=office.settings.https
        )
    return response


def _seated(office: Office, request: Request, db: ScopedSession, fields: Fields, now: datetime) -> Desk:
    """The desk of whoever asks: found by the cookie in the session that is the officer's own from then on."""
    found = find_session(db, request.cookies.get(cookie_name(office.settings)), now, office.settings)
    if found is None:
        return Desk(office, request, fields, db, now)
    session, viewer = found
    if now - session.seen_at > _SEEN_AGAIN:
        _note_seen(office, db, session, now)
    db.seat(viewer)
    return Desk(office, request, fields, db, now, viewer, session)


def _note_seen(office: Office, db: ScopedSession, session: SignedIn, now: datetime) -> None:
    seen = update(DeskSession).where(DeskSession.id_hash == session.id_hash).values(seen_at=now)
    if db.writes:
        db.execute(seen)
        return
    try:
        with open_machine_session(office.engine, writes=True, waits=False) as writing:
            writing.execute(seen)
            writing.commit()
    except OperationalError as error:
        # Nobody waits with a page for this; the next click tells it.
        if not is_taken(error):
            raise


def _stopped_at_the_door(target: Page, desk: Desk, rate: RequestRate, request: Request) -> Response | None:
    rate.count(desk.session.id_hash if desk.session else _origin(request), desk.now)
    if target.may is None:
        _check_csrf(desk, target)
        return None
    if desk.session is None:
        if _typed_texts(desk) and not _comes_from_elsewhere(request):
            raise SignedOut()
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=303)
    if desk.session.stage not in (STAGE_FULL, *target.stages):
        return RedirectResponse(STAGE_PAGES[desk.session.stage], status_code=303)
    _check_csrf(desk, target)
    if not permissions.may(desk.viewer.role, target.may):
        desk.record("denied", path=target.path, method=target.method)
        raise Forbidden()
    return None


def _check_csrf(desk: Desk, target: Page) -> None:
    if target.method != "POST":
        return
    if _comes_from_elsewhere(desk.request) or not hmac.compare_digest(
        desk.fields.raw("csrf").encode(), desk.csrf.encode()
    ):
        # The page's address, not the one typed: that may hold anything, also a person's number.
        desk.record("csrf_refused", path=target.path)
        raise Forbidden("页面已过期或者来源不对，请返回重新打开页面再提交。")


def _comes_from_elsewhere(request: Request) -> bool:
    origin = request.headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    except ValueError:
        return True


def _refusal(desk: Desk, error: DeskError) -> Response:
    if isinstance(error, TooMany):
        route = desk.request.scope.get("route")
        desk.record("rate_refused", path=getattr(route, "path", ""))
    # In a half-finished sign-in the page must not show the menu of the desk.
    return desk.render(
        "error.html", status=error.status, error=error, back=_way_back(desk), typed=_typed_texts(desk)
    )


def _way_back(desk: Desk) -> str:
    """The page a refused form stood on, '' when it is not known."""
    path = desk.request.url.path
    is_form = desk.request.method == "POST" and path.startswith(_WORKED_ON)
    return path.rsplit("/", 1)[0] if is_form else ""


def _typed_texts(desk: Desk) -> list[str]:
    """What an officer wrote in a form that was refused: pages are not kept by browsers, so it would be lost."""
    return desk.fields.texts(_LONG_ENOUGH) if _way_back(desk) else []


def not_found(office: Office, request: Request) -> Response:
    """The same page for an address nobody knows as for a case of another county."""
    with open_machine_session(office.engine) as db:
        desk = _seated(office, request, db, Fields(FormData()), office.settings.now())
        return _refusal(desk, NotFound())


def _origin(request: Request) -> str:
    return request.client.host if request.client else "-"
