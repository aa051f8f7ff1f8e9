"""Single sign-on by OpenID Connect, for provinces that have one. Accounts, roles and places stay ours."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from portal.auth.sessions import STAGE_FULL, cookie_name, start_session
from portal.desk import Office
from portal.schema import User
from portal.scope import open_machine_session


def sign_on_routes(office: Office) -> list[Any]:
    """/sign-on/start and /sign-on/back; none when no service is configured."""
    service = office.settings.sign_on
    if service is None:
        return []
    # Imported only where it is used: it costs a second and warns about httpx.
    from authlib.integrations.starlette_client import OAuth, OAuthError  # type: ignore[import-untyped]

    client = OAuth()
    client.register(
        "province",
        client_id=service.client_id,
        client_secret=service.client_secret,
        server_metadata_url=f"{service.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
    )

    async def start(request: Request) -> Response:
        back = str(request.url_for("sign_on_back"))
        return await client.province.authorize_redirect(request, back)  # type: ignore[no-any-return]

    async def back(request: Request) -> Response:
        try:
            token = await client.province.authorize_access_token(request)
        except OAuthError:
            return PlainTextResponse("单点登录没有完成，请返回重试。", status_code=403)
        login = str(token.get("userinfo", {}).get(service.claim, ""))
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


def _sign_in(office: Office, login: str) -> Response:
    """The province's service has checked both factors; an officer we do not know gets nothing."""
    with open_machine_session(office.engine, writes=True) as db:
        user = db.scalars(select(User).where(User.login == login, User.active)).one_or_none()
        if user is None:
            office.journal.record("sign_in_refused", "-", {"way": "oidc"})
            return PlainTextResponse("该账号没有开通本工作台，请联系管理员。", status_code=403)
        _, cookie = start_session(db, user, STAGE_FULL, office.settings.now(), office.settings)
        office.journal.record("signed_in", user.login, {"way": "oidc"})
        db.commit()
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        cookie_name(office.settings), cookie, httponly=True, samesite="lax", secure=office.settings.https
    )
    return response
