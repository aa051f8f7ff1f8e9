"""The desk as a web application: `create_app(settings)` gives an ASGI application."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.identity.keyring import KeyRing
from portal import pages
from portal.auth.sign_on import sign_on_routes
from portal.database import migrate, open_database
from portal.desk import Office
from portal.journal import Journal
from portal.load import open_vault
from portal.rates import RequestRate
from portal.remembered import begin_stamping
from portal.routing import PAGES, Seats, endpoint, not_found
from portal.settings import Settings, settings_from_environment
from portal.templating import make_templates

FOLDER = Path(__file__).parent
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": with it browsers send "Origin: null" from our own forms too.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def create_app(settings: Settings, ring: KeyRing | None = None) -> Starlette:
    """Open the database (bringing its tables up to date) and the key ring, and put all pages on the way.

    ring: the key ring; by default that of the environment or the home, as pipelines opens it.
    """
    office = open_office(settings, ring)
    rate = RequestRate(settings.requests_per_minute)
    pages.register_all()
    seats = Seats()
    routes: list[Any] = [Route("/health", _health, methods=["GET"])]
    for target in PAGES:
        routes.append(Route(target.path, endpoint(target, office, rate, seats), methods=[target.method]))
    routes += sign_on_routes(office, rate)
    routes.append(Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static"))

    async def unknown(request: Request, _error: Exception) -> Response:
        return not_found(office, request)

    async def other_http(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return PlainTextResponse("请求不被接受。", status_code=status)

    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Guard, settings=settings),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.allowed_hosts)),
        ],
        exception_handlers={404: unknown, HTTPException: other_http},
    )
    app.state.office = office
    return app


def app_of_the_environment() -> Starlette:
    """What each process serves when there are several; $HEDUI_HOME and the others tell where."""
    return create_app(settings_from_environment())


def open_office(settings: Settings, ring: KeyRing | None = None) -> Office:
    """Everything the pages share; also what the commands of `python -m portal` work with."""
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings.database)
    migrate(engine)
    begin_stamping(engine)
    opened = ring or KeyRing.open(settings.home, os.environ)
    return Office(
        settings, engine, open_vault(engine, opened), Journal(settings.home, opened), make_templates()
    )


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok")


class Guard:
    """Security headers on every answer, and a limit to every body, before anything reads it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._settings.upload_bytes
        if _declared_length(scope) > limit:
            await self._send_with_headers(send, scope)(_start(413))
            await send({"type": "http.response.body", "body": "文件过大。".encode()})
            return
        await self._app(scope, _limited(receive, limit), self._send_with_headers(send, scope))

    def _send_with_headers(self, send: Send, scope: Scope) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [*message.get("headers", []), *self._headers(message, scope)],
                }
            await send(message)

        return sending

    def _headers(self, message: Message, scope: Scope) -> list[tuple[bytes, bytes]]:
        given = {name for name, _ in message.get("headers", [])}
        headers = dict(_HEADERS)
        headers["cache-control"] = (
            "public, max-age=3600" if scope["path"].startswith("/static/") else "no-store"
        )
        if self._settings.https:
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        return [
            (name.encode(), value.encode()) for name, value in headers.items() if name.encode() not in given
        ]


def _declared_length(scope: MutableMapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _start(status: int) -> Message:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    return {"type": "http.response.start", "status": status, "headers": headers}


def _limited(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413)
        return message

    return receiving
