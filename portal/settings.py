"""What one installation of the desk decides: where its data lie and how strict it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def current_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class SingleSignOn:
    """A province's OpenID Connect service; officers are found by `claim`."""

    issuer: str
    client_id: str
    client_secret: str
    claim: str = "preferred_username"


@dataclass(frozen=True)
class Settings:
    """database: SQLAlchemy URL. home: the pipeline's home folder. secret: signs the session cookies.

    `https` marks cookies Secure and sends HSTS; only a loopback installation may do without.
    `argon2` is (passes, KiB, lanes), RFC 9106's second recommended set by default.
    """

    home: Path
    database: str
    secret: str
    https: bool = True
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    office: str = "县级民政部门"
    demonstration: bool = False
    idle_minutes: int = 30
    session_hours: int = 10
    lock_after: int = 5
    lock_minutes: int = 15
    sign_ins_per_minute: int = 20
    reveals_per_hour: int = 120
    downloads_per_hour: int = 30
    requests_per_minute: int = 600
    upload_bytes: int = 20 * 1024 * 1024
    attachment_bytes: int = 5 * 1024 * 1024
    page_rows: int = 50
    argon2: tuple[int, int, int] = (3, 65536, 4)
    sign_on: SingleSignOn | None = None
    port: int = 8080
    now: Callable[[], datetime] = field(default=current_time)


class SettingMissing(ValueError):
    """An environment variable the desk cannot do without is not set."""


def settings_from_environment(demonstration: bool = False) -> Settings:
    """Read HEDUI_HOME, HEDUI_PORTAL_DATABASE, HEDUI_PORTAL_SECRET, HEDUI_PORTAL_HOSTS, HEDUI_PORTAL_PORT, HEDUI_OIDC_*.

    Raises SettingMissing when the home, or outside a demonstration the secret, is not given, or the port is no port.
    """
    home = os.environ.get("HEDUI_HOME")
    if not home:
        raise SettingMissing("HEDUI_HOME is not set; wanted the folder that holds nights/ and audit/")
    secret = os.environ.get("HEDUI_PORTAL_SECRET") or (os.urandom(32).hex() if demonstration else "")
    if len(secret) < 32:
        raise SettingMissing(
            "HEDUI_PORTAL_SECRET is not set or too short; wanted at least 32 random characters"
        )
    return Settings(
        home=Path(home),
        database=os.environ.get("HEDUI_PORTAL_DATABASE", f"sqlite:///{Path(home).resolve() / 'desk.sqlite'}"),
        secret=secret,
        https=not demonstration,
        allowed_hosts=tuple(os.environ.get("HEDUI_PORTAL_HOSTS", "localhost,127.0.0.1").split(",")),
        office=os.environ.get("HEDUI_PORTAL_OFFICE", "县级民政部门"),
        demonstration=demonstration,
        sign_on=_sign_on_from_environment(),
        port=_port_from_environment(),
    )


def _port_from_environment() -> int:
    told = os.environ.get("HEDUI_PORTAL_PORT", "8080")
    if not (told.isascii() and told.isdigit() and 0 < int(told) < 65536):
        raise SettingMissing(
            "HEDUI_PORTAL_PORT is no port; wanted a number from 1 to 65535, for example 8090"
        )
    return int(told)


def _sign_on_from_environment() -> SingleSignOn | None:
    issuer = os.environ.get("HEDUI_OIDC_ISSUER")
    if not issuer:
        return None
    return SingleSignOn(
        issuer=issuer,
        client_id=os.environ.get("HEDUI_OIDC_CLIENT_ID", ""),
        client_secret=os.environ.get("HEDUI_OIDC_CLIENT_SECRET", ""),
        claim=os.environ.get("HEDUI_OIDC_CLAIM", "preferred_username"),
    )
