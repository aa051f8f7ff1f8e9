"""Accounts: made, changed and unlocked by the administrator, who sees no cases."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import Response

from portal import permissions
from portal.accounts import add_user, check_account, new_password
from portal.auth.passwords import hash_password
from portal.auth.sessions import end_sessions_of
from portal.desk import Desk
from portal.errors import Forbidden, NotFound, Refused
from portal.routing import page
from portal.schema import User
from portal.work.handover import give_back_cases

# What is told afterwards. On and off are two acts: two administrators who press the same button want the same.
ACTS = {
    "password": "已重置密码，第二因素须重新绑定，已退出登录。",
    "on": "已启用。",
    "off": "已停用，已退出登录。",
    "unlock": "已解锁。",
    "move": "已调动，已退出登录。",
}


@page("GET", "/users", may="keep_users")
def show_users(desk: Desk) -> Response:
    return _render(desk)


@page("POST", "/users", may="keep_users")
def make_user(desk: Desk) -> Response:
    """The first password is shown once and must be changed at the first sign-in."""
    region = desk.fields.raw("region").strip()
    _check_reach(desk, region)
    password = new_password()
    user = add_user(
        desk.db,
        desk.office,
        login=desk.fields.raw("login").strip(),
        display_name=desk.fields.text("display_name", "姓名", limit=40),
        role=desk.fields.choice("role", "角色", permissions.ROLES),
        region=region,
        password=password,
    )
    desk.record("user_made", account=user.login, role=user.role, region=user.region)
    return _render(desk, shown=(user.login, password), told=f"账号 {user.login} 已新增。")


@page("POST", "/users/{user_id:int}", may="keep_users")
def change_user(desk: Desk) -> Response:
    """act: password (new first password, second factor bound anew), on, off, unlock, move.

    To move is to give another role and region; open cases that these do not reach are given back to their county.
    """
    user = _find_user(desk)
    if user.id == desk.viewer.user_id:
        raise Refused("不能修改自己的账号，请由另一位管理员办理。")
    act = desk.fields.choice("act", "操作", ACTS)
    shown, told = None, ACTS[act]
    more: dict[str, object] = {}
    if act == "password":
        password = new_password()
        user.password_hash, user.must_change_password = hash_password(password, desk.settings.argon2), True
        user.totp_sealed, user.totp_confirmed, user.totp_last_step = None, False, 0
        shown = (user.login, password)
    elif act in ("on", "off"):
        user.active = act == "on"
    elif act == "move":
        more = _move(desk, user)
        told += f"不在新范围内的在办案件 {more['given_back']} 件，已转为未分派，由案件所在县区重新分派。"
    user.failures, user.locked_until = 0, None
    if act != "unlock":
        end_sessions_of(desk.db, user.id)
    desk.db.flush()
    account = {"account": user.login, "active": user.active, "role": user.role, "region": user.region}
    desk.record("user_changed", act=act, **account, **more)
    return _render(desk, shown=shown, told=f"账号 {user.login}：{told}")


def _move(desk: Desk, user: User) -> dict[str, object]:
    """Give another role and region; what the audit log is told besides."""
    region = desk.fields.raw("region").strip()
    _check_reach(desk, region)
    role = desk.fields.choice("role", "角色", permissions.ROLES)
    check_account(user.login, user.display_name, role, region)
    if (role, region) == (user.role, user.region):
        raise Refused("新的角色和管辖范围与现在相同，没有需要调动的。")
    before = {"role_before": user.role, "region_before": user.region}
    user.role, user.region = role, region
    return {**before, "given_back": give_back_cases(desk, user)}


def _render(desk: Desk, shown: tuple[str, str] | None = None, told: str = "") -> Response:
    users = desk.db.scalars(
        select(User).where(User.region.startswith(desk.viewer.region)).order_by(User.region, User.login)
    )
    return desk.render(
        "users.html",
        users=list(users),
        shown=shown,
        told=told,
        now=desk.now,
        region_digits=permissions.REGION_DIGITS,
    )


def _find_user(desk: Desk) -> User:
    wanted = min(desk.request.path_params["user_id"], 2**63 - 1)
    user = desk.db.scalars(
        select(User).where(User.id == wanted, User.region.startswith(desk.viewer.region))
    ).one_or_none()
    if user is None:
        raise NotFound()
    return user


def _check_reach(desk: Desk, region: str) -> None:
    if not region.startswith(desk.viewer.region):
        raise Forbidden("只能管理本辖区的账号。")
