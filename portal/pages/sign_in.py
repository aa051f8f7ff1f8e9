"""Signing in with a password and a second factor, and out again."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select
from starlette.responses import Response
from starlette.routing import compile_path

from portal import permissions
from portal.auth import totp
from portal.auth.passwords import PasswordTooWeak, check_strength, hash_password, verify_password
from portal.auth.sessions import (
    STAGE_FULL,
    cookie_name,
    end_session,
    end_sessions_of,
    remove_dead_sessions,
    start_session,
)
from portal.desk import Desk
from portal.errors import Refused
from portal.rates import count_sign_in
from portal.routing import PAGES, STAGE_PAGES, Page, page
from portal.schema import User
from portal.scope import Viewer

TOTP_PLACE = "user.totp"
_PLAIN_PATH = re.compile(r"/[a-z0-9/-]{0,100}")


@page("GET", "/sign-in", may=None)
def show_sign_in(desk: Desk) -> Response:
    if desk.session and desk.session.stage == STAGE_FULL:
        return desk.redirect("/")
    return _show_sign_in(desk)


def _show_sign_in(desk: Desk, failed: bool = False) -> Response:
    return desk.render(
        "sign_in.html",
        401 if failed else 200,
        failed=failed,
        sign_on=desk.settings.sign_on is not None,
        onward=_onward(desk),
    )


@page("POST", "/sign-in", may=None)
def sign_in(desk: Desk) -> Response:
    """One answer for an unknown name, a wrong password and a locked account."""
    origin = desk.request.client.host if desk.request.client else "-"
    count_sign_in(desk.db, origin, desk.now, desk.settings)
    login = desk.fields.raw("login").strip()[:64]
    # One attempt after the other: many at the same moment would be counted as one.
    user = desk.db.scalars(
        select(User).where(User.login == login, User.active).with_for_update()
    ).one_or_none()
    right = verify_password(
        user.password_hash if user else None, desk.fields.raw("password")[:1024], desk.settings.argon2
    )
    if user is None or _is_locked(desk, user) or not right:
        _count_failure(desk, user)
        desk.record("sign_in_refused", way="password", known=user is not None)
        return _show_sign_in(desk, failed=True)
    user.failures = 0 if not user.totp_needed else user.failures
    remove_dead_sessions(desk.db, desk.now, desk.settings)
    return _go_on(desk, user)


@page("GET", "/sign-in/code", may="own_account", stages=("code",))
def show_code(desk: Desk) -> Response:
    return desk.render("sign_in_code.html", failed=False, onward=_onward(desk))


@page("POST", "/sign-in/code", may="own_account", stages=("code",))
def enter_code(desk: Desk) -> Response:
    user = _own_user(desk, alone=True)
    if _is_locked(desk, user) or not _accept_code(desk, user):
        _count_failure(desk, user)
        desk.record("sign_in_refused", way="code", known=True)
        return desk.render("sign_in_code.html", 401, failed=True, onward=_onward(desk))
    return _full_session(desk, user, to=_asked_for(desk, user))


@page("GET", "/sign-in/enrol", may="own_account", stages=("enrol",))
def show_enrol(desk: Desk) -> Response:
    secret = _enrolment_secret(desk)
    return desk.render(
        "sign_in_enrol.html",
        secret=totp.secret_text(secret) if secret else "",
        address=totp.enrolment_address(secret, desk.viewer.login) if secret else "",
        failed=False,
    )


@page("POST", "/sign-in/enrol", may="own_account", stages=("enrol",))
def enrol(desk: Desk) -> Response:
    """First press makes the secret; the second, with a right code, binds it."""
    user = _own_user(desk)
    if user.totp_confirmed:
        raise Refused("第二因素已经绑定；更换请联系管理员。")
    if user.totp_sealed is None:
        user.totp_sealed = desk.vault.seal_bytes(totp.new_secret(), TOTP_PLACE)
        return desk.redirect("/sign-in/enrol")
    if not _accept_code(desk, user):
        secret = desk.vault.open_bytes(user.totp_sealed, TOTP_PLACE)
        return desk.render(
            "sign_in_enrol.html",
            401,
            secret=totp.secret_text(secret),
            failed=True,
            address=totp.enrolment_address(secret, user.login),
        )
    user.totp_confirmed = True
    desk.record("second_factor_bound")
    return _full_session(desk, user)


@page("POST", "/sign-out", may="own_account", stages=("code", "enrol", "change"))
def sign_out(desk: Desk) -> Response:
    if desk.session:
        end_session(desk.db, desk.session)
    desk.record("signed_out")
    response = desk.redirect("/sign-in", done="signed_out")
    response.delete_cookie(cookie_name(desk.settings), path="/", secure=desk.settings.https, httponly=True)
    return response


@page("GET", "/account/password", may="own_account", stages=("change",))
def show_password(desk: Desk) -> Response:
    return desk.render("password.html", problem="")


@page("POST", "/account/password", may="own_account", stages=("change",))
def change_password(desk: Desk) -> Response:
    """All other sessions of the officer end."""
    user = _own_user(desk)
    if not verify_password(user.password_hash, desk.fields.raw("old")[:1024], desk.settings.argon2):
        return desk.render("password.html", 422, problem="原密码不对")
    new = desk.fields.raw("new")[:1024]
    if new != desk.fields.raw("again")[:1024]:
        return desk.render("password.html", 422, problem="两次输入的新密码不一致")
    if new == desk.fields.raw("old"):
        return desk.render("password.html", 422, problem="新密码不能与原密码相同")
    try:
        check_strength(new, user.login)
    except PasswordTooWeak as weak:
        return desk.render("password.html", 422, problem=str(weak))
    user.password_hash = hash_password(new, desk.settings.argon2)
    user.must_change_password = False
    end_sessions_of(desk.db, user.id)
    desk.record("password_changed")
    return _full_session(desk, user, to="/?done=password")


def _go_on(desk: Desk, user: User) -> Response:
    """After a right password: the second factor, or in."""
    if user.totp_needed:
        stage = "code" if user.totp_confirmed else "enrol"
        _, cookie = start_session(desk.db, user, stage, desk.now, desk.settings)
        response = desk.redirect(STAGE_PAGES[stage] + (_onward(desk) if stage == "code" else ""))
        _set_cookie(desk, response, cookie)
        return response
    return _full_session(desk, user, to=_asked_for(desk, user))


def _onward(desk: Desk) -> str:
    """The rest of an address that carries on where the officer wanted to go; '' for anything that is no page here."""
    path = desk.request.query_params.get("next", "")
    return f"?next={path}" if _page_at(path) else ""


def _asked_for(desk: Desk, user: User) -> str:
    path = desk.request.query_params.get("next", "")
    found = _page_at(path)
    return path if found and found.may and permissions.may(user.role, found.may) else ""


def _page_at(path: str) -> Page | None:
    """The page that is read at this path: never another site, and nothing that changes anything."""
    if not _PLAIN_PATH.fullmatch(path):
        return None
    readable = (page for page in PAGES if page.method == "GET" and page.may and not page.stages)
    return next((page for page in readable if compile_path(page.path)[0].match(path)), None)


def _full_session(desk: Desk, user: User, to: str = "") -> Response:
    """A new session with a new token: the one of the half-finished sign-in is worth nothing any more."""
    if desk.session:
        end_session(desk.db, desk.session)
    user.failures, user.locked_until = 0, None
    stage = "change" if user.must_change_password else STAGE_FULL
    _, cookie = start_session(desk.db, user, stage, desk.now, desk.settings)
    desk.viewer_or_none = Viewer(user.id, user.login, user.display_name, user.role, user.region)
    desk.record("signed_in", way="password")
    response = desk.redirect("/account/password") if stage == "change" else desk.redirect(to or "/")
    _set_cookie(desk, response, cookie)
    return response


def _set_cookie(desk: Desk, response: Response, cookie: str) -> None:
    response.set_cookie(
        cookie_name(desk.settings),
        cookie,
        httponly=True,
        samesite="strict",
        secure=desk.settings.https,
        path="/",
    )


def _own_user(desk: Desk, alone: bool = False) -> User:
    """alone: no other request may look at the account until this one is over: a code is good once."""
    wanted = select(User).where(User.id == desk.viewer.user_id)
    return desk.db.scalars(wanted.with_for_update() if alone else wanted).one()


def _is_locked(desk: Desk, user: User) -> bool:
    return user.locked_until is not None and user.locked_until > desk.now


def _count_failure(desk: Desk, user: User | None) -> None:
    if user is None or _is_locked(desk, user):
        return
    user.failures += 1
    if user.failures >= desk.settings.lock_after:
        user.failures, user.locked_until = 0, desk.now + timedelta(minutes=desk.settings.lock_minutes)
        desk.record("account_locked", account=user.login)


def _accept_code(desk: Desk, user: User) -> bool:
    if user.totp_sealed is None:
        return False
    secret = desk.vault.open_bytes(user.totp_sealed, TOTP_PLACE)
    step = totp.accepted_step(secret, desk.fields.raw("code")[:16], desk.now, user.totp_last_step)
    if step is None:
        return False
    user.totp_last_step = step
    return True


def _enrolment_secret(desk: Desk) -> bytes | None:
    user = _own_user(desk)
    if user.totp_sealed is None or user.totp_confirmed:
        return None
    return desk.vault.open_bytes(user.totp_sealed, TOTP_PLACE)
