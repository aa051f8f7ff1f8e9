"""A served desk and officers that click through it like a browser does."""

from __future__ import annotations

import atexit
import re
import shutil
import ssl
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import uvicorn
from bs4 import BeautifulSoup
from sqlalchemy import event

from pipelines.identity.keyring import KeyRing, new_ring
from portal.accounts import create_user
from portal.app import create_app
from portal.database import migrate, open_database
from portal.load import load_night
from portal.settings import Settings

PASSWORD = "Right-Horse-7-Staple"
QUICK_ARGON2 = (1, 8, 1)
# The desk is served without TLS; reading the machine's certificates for every officer costs more than a page.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def statements(desk, wanted=lambda statement: True):
    """What reaches the desk's database meanwhile."""
    seen: list[str] = []

    def watch(_connection, _cursor, statement, *_rest):
        if wanted(statement):
            seen.append(statement)

    event.listen(desk.engine, "before_cursor_execute", watch)
    try:
        yield seen
    finally:
        event.remove(desk.engine, "before_cursor_execute", watch)


@dataclass
class Clock:
    """The desk's time, which a test may move."""

    at: datetime = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class ServedDesk:
    address: str
    app: object
    home: Path
    ring: KeyRing
    clock: Clock
    officers: dict[str, Officer] = field(default_factory=dict)

    @property
    def office(self):
        return self.app.state.office

    @property
    def engine(self):
        return self.office.engine

    def load(self, as_of):
        return load_night(self.home, as_of, self.engine, self.ring)

    def hire(self, login: str, role: str, region: str, **told) -> Officer:
        """An account without a second factor, unless told, and its browser."""
        create_user(
            self.office, login=login, display_name=told.pop("name", f"官员{login}"), role=role, region=region, password=PASSWORD,
            totp_needed=told.pop("totp_needed", False), must_change_password=False,
        )  # fmt: skip
        return Officer(self, login)

    def officer(self, login: str, role: str, region: str) -> Officer:
        """The same, hired and signed in once per desk."""
        if login not in self.officers:
            self.officers[login] = self.hire(login, role, region)
            self.officers[login].sign_in()
        return self.officers[login]


class Officer:
    def __init__(self, desk: ServedDesk, login: str) -> None:
        self.desk, self.login = desk, login
        self.web = httpx.Client(
            base_url=desk.address, follow_redirects=False, timeout=30, verify=NO_CERTIFICATES, trust_env=False
        )

    def get(self, path: str) -> httpx.Response:
        return self.web.get(path)

    def read(self, path: str) -> str:
        """The text of a page without its random token, in which any short text may stand by chance."""
        text = self.get(path).text
        return text.replace(_hidden(text, "csrf"), "")

    def sign_in(self, password: str = PASSWORD) -> httpx.Response:
        return self.send("/sign-in", {"login": self.login, "password": password}, seen="/sign-in")

    def csrf(self, seen: str = "/account/password") -> str:
        return _hidden(self.get(seen).text, "csrf")

    def send(
        self, path: str, fields: dict | None = None, seen: str = "/account/password", files=None
    ) -> httpx.Response:
        """Post a form with the CSRF token of the page it was seen on."""
        return self.web.post(path, data={"csrf": self.csrf(seen)} | (fields or {}), files=files)

    def work(self, case_id: int, step: str, fields: dict | None = None, files=None) -> httpx.Response:
        """A step of a case, with the version of the page as it is now."""
        page = self.get(f"/cases/{case_id}").text
        version, csrf = (_hidden(page, name) for name in ("version", "csrf"))
        return self.web.post(
            f"/cases/{case_id}/{step}", data={"csrf": csrf, "version": version} | (fields or {}), files=files
        )

    def done(self, case_id: int, step: str, fields: dict | None = None, files=None) -> None:
        """The same, and it must have been accepted."""
        answer = self.work(case_id, step, fields, files)
        assert answer.status_code == 303, refusal(answer)


def _hidden(page: str, name: str) -> str:
    """The value of the first hidden field of this name."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"the page has no field {name}"
    return found[1]


def refusal(answer: httpx.Response) -> str:
    alert = BeautifulSoup(answer.text, "html.parser").find(attrs={"role": "alert"})
    return f"{answer.status_code} {alert.get_text(strip=True) if alert else answer.text[:200]}"


@cache
def _empty_database() -> Path:
    """The tables as the migrations make them, made once and copied for each desk."""
    path = Path(tempfile.mkdtemp(prefix="desk-empty-")) / "empty.sqlite"
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return path


def _ring_of(home: Path, file: Path) -> KeyRing:
    return KeyRing.open(home, {"HEDUI_KEYRING": str(file)}) if file.exists() else new_ring(file)


@contextmanager
def serve_desk(folder: Path, database: str | None = None, **told):
    """A desk on a loopback port, stopped at the end; with the home, keys and SQLite database a folder holds already."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    ring = _ring_of(home, folder / "keys" / "ring.json")
    clock = Clock()
    if database is None and not (folder / "desk.sqlite").exists():
        shutil.copy(_empty_database(), folder / "desk.sqlite")
    settings = Settings(
        home=home, database=database or f"sqlite:///{folder / 'desk.sqlite'}", secret="s" * 40, https=False, argon2=QUICK_ARGON2,
        now=clock, requests_per_minute=told.pop("requests_per_minute", 100_000), **told,
    )  # fmt: skip
    app = create_app(settings, ring)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield ServedDesk(f"http://127.0.0.1:{port}", app, home, ring, clock)
    finally:
        server.should_exit = True
        thread.join(10)
        app.state.office.engine.dispose()
