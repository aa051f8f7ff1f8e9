"""Making and changing accounts."""

from __future__ import annotations

import re
import secrets

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import permissions
from portal.auth.passwords import check_strength, hash_password
from portal.desk import Office
from portal.errors import Refused
from portal.schema import User
from portal.scope import ScopedSession, open_machine_session

_LOGIN_TAKEN = "这个登录名已有人使用。"
# Short enough that it can never be an identity number: it stands in the audit log.
_LOGIN = re.compile(r"[a-z][a-z0-9_.-]{1,30}")


def create_user(
    office: Office,
    *,
    login: str,
    display_name: str,
    role: str,
    region: str,
    password: str,
    totp_needed: bool = True,
    must_change_password: bool = True,
) -> int:
    """Create an account from the command line or a demonstration. Raises Refused, PasswordTooWeak."""
    with open_machine_session(office.engine, writes=True) as db:
        user = add_user(
            db,
            office,
            login=login,
            display_name=display_name,
            role=role,
            region=region,
            password=password,
            totp_needed=totp_needed,
            must_change_password=must_change_password,
        )
        db.commit()
        return user.id


def add_user(
    db: ScopedSession,
    office: Office,
    *,
    login: str,
    display_name: str,
    role: str,
    region: str,
    password: str,
    totp_needed: bool = True,
    must_change_password: bool = True,
) -> User:
    check_account(login, display_name, role, region)
    check_strength(password, login)
    if db.scalars(select(User.id).where(User.login == login)).first() is not None:
        raise Refused(_LOGIN_TAKEN)
    user = User(
        login=login,
        display_name=display_name,
        role=role,
        region=region,
        password_hash=hash_password(password, office.settings.argon2),
        must_change_password=must_change_password,
        totp_needed=totp_needed,
        created_at=office.settings.now(),
    )
    try:
        with db.begin_nested():
            db.add(user)
    except IntegrityError:
        # Another administrator took it at the same moment.
        raise Refused(_LOGIN_TAKEN) from None
    return user


def check_account(login: str, display_name: str, role: str, region: str) -> None:
    """Raises Refused, in Chinese, for what cannot be an account."""
    if not _LOGIN.fullmatch(login):
        raise Refused("登录名须以小写字母开头，由 2 至 31 个小写字母、数字或 _ . - 组成。")
    if not display_name.strip() or len(display_name) > 40:
        raise Refused("请填写姓名，最多 40 个字。")
    if role not in permissions.ROLES:
        raise Refused("请选择角色。")
    if not (region.isascii() and region.isdigit() and len(region) in permissions.REGION_DIGITS[role]):
        wanted = "、".join(str(digits) for digits in sorted(permissions.REGION_DIGITS[role]))
        raise Refused(f"“{permissions.ROLES[role]}”的管辖范围须是 {wanted} 位行政区划代码。")


def new_password() -> str:
    """A first password to hand over once: it must be changed at the first sign-in."""
    return f"{secrets.token_urlsafe(12)}-Aa1"
