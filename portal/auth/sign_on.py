"""Single sign-on by OpenID Connect, for provinces that have one. Accounts, roles and places stay ours."""

from __future__ import annotations

import logging
import ssl
from functools import cache
from typing import Any

import httpx
from joserfc.errors import JoseError
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from portal.auth.sessions import STAGE_FULL, cookie_name, start_session
from portal.desk import Office
from portal.errors import TooMany
from portal.rates import RequestRate
from portal.schema import User
from portal.scope import open_machine_session
from portal.settings import SettingMissing, SingleSignOn

_log = logging.getLogger("portal")
# Never "none", and never a shared secret that whoever knows the client's could sign with (RFC 8725, 3.1).
_SIGNATURES = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
_CLOCK_SKEW_SECONDS = 60
_WAIT_SECONDS = 10
_LOGIN_CHARACTERS = 64
# What a service that is down, or whose answers are not those of OpenID Connect, makes the library raise.
_NOT_AS_AGREED = (JoseError, httpx.HTTPError, ValueError, KeyError, RuntimeError, TypeError)


def sign_on_routes(office: Office, rate: RequestRate) -> list[Any]:
    """/sign-on/start and /sign-on/back; none when no service is configured.

    Raises SettingMissing when the service is not reached by HTTPS although the desk is.
    """
    service = office.settings.sign_on
    if service is None:
        return []
    if office.settings.https and not service.issuer.startswith("https://"):
        raise SettingMissing("HEDUI_OIDC_ISSUER is not an https address; wanted https://…")
    # Imported only where it is used: it costs a second and warns about httpx.
    from authlib.integrations.starlette_client import OAuth, OAuthError  # type: ignore[import-untyped]

    client = OAuth()
    client.register(
        "province",
        client_id=service.client_id,
        client_secret=service.client_secret,
        server_metadata_url=f"{service.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "timeout": _WAIT_SECONDS,
            "verify": _certificates(),
        },
    )

    async def start(request: Request) -> Response:
        try:
            rate.count(request.client.host if request.client else "-", office.settings.now())
            await _trust(client.province, service)
            back = str(request.url_for("sign_on_back"))
            return await client.province.authorize_redirect(request, back)  # type: ignore[no-any-return]
        except TooMany as busy:
            return PlainTextResponse(busy.message, status_code=busy.status)
        except _NOT_AS_AGREED as problem:
            _log.warning("single sign-on did not begin: %s", type(problem).__name__)
            return PlainTextResponse("单点登录服务暂时不可用，请稍后再试或用密码登录。", status_code=503)

    async def back(request: Request) -> Response:
        try:
            await _trust(client.province, service)
            token = await client.province.authorize_access_token(
                request, claims_options=_wanted_claims(service), leeway=_CLOCK_SKEW_SECONDS
            )
            login = _login_of(token.get("userinfo"), service.claim)
        except (OAuthError, *_NOT_AS_AGREED) as problem:
            # Only the kind of the fault: its words may repeat what the token said.
            await run_in_threadpool(_refuse, office, type(problem).__name__)
            return PlainTextResponse("单点登录没有完成，请返回重试。", status_code=403)
        return await run_in_threadpool(_sign_in, office, login)

    # The state between the two steps lives in a cookie of its own that only these addresses receive.
    memory = Middleware(
        SessionMiddleware,
        secret_key=office.settings.secret,
        session_cookie="desk-sign-on",
        max_age=600,
        path="/sign-on",
        https_only=office.settings.https,
    )
    steps = [Route("/start", start), Route("/back", back, name="sign_on_back")]
    return [Mount("/sign-on", routes=steps, middleware=[memory])]


@cache
def _certificates() -> ssl.SSLContext:
    """Read once a process: authlib opens a client for every question of a sign-on."""
    return httpx.create_ssl_context()


async def _trust(client: Any, service: SingleSignOn) -> None:
    """Hold the service's own description to what was agreed with it. Raises ValueError.

    Tokens are checked against this description, so it must be that of the configured issuer (OpenID Connect
    Discovery 1.0, 4.3), and whatever else it offers, only signatures by its published keys count.
    """
    described = await client.load_server_metadata()
    if described.get("issuer") != service.issuer:
        raise ValueError("the discovery document is another issuer's")
    offered = described.get("id_token_signing_alg_values_supported") or ["RS256"]
    described["id_token_signing_alg_values_supported"] = [name for name in offered if name in _SIGNATURES]


def _wanted_claims(service: SingleSignOn) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": service.issuer},
        "aud": {"essential": True, "value": service.client_id},
        "exp": {"essential": True},
        "nonce": {"essential": True},
    }


def _login_of(claims: Any, wanted: str) -> str:
    """The login in the token's claims. Raises ValueError when there is no token or no text in it."""
    login = (claims or {}).get(wanted)
    if not isinstance(login, str) or not login.isprintable() or not 0 < len(login) <= _LOGIN_CHARACTERS:
        raise ValueError("the identity token names no login")
    return login


def _refuse(office: Office, why: str) -> None:
    office.journal.record("sign_in_refused", "-", {"way": "oidc", "why": why})


def _sign_in(office: Office, login: str) -> Response:
    """The province's service has checked both factors; an officer we do not know gets nothing."""
    with open_machine_session(office.engine, writes=True) as db:
        user = db.scalars(select(User).where(User.login == login, User.active)).one_or_none()
        if user is None:
            _refuse(office, "unknown_account")
            return PlainTextResponse("该账号没有开通本工作台，请联系管理员。", status_code=403)
        _, cookie = start_session(db, user, STAGE_FULL, office.settings.now(), office.settings)
        office.journal.record("signed_in", user.login, {"way": "oidc"})
        db.commit()
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        cookie_name(office.settings), cookie, httponly=True, samesite="lax", secure=office.settings.https
    )
    return response
