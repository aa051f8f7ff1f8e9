"""`python -m portal serve | load | demo | backup | restore | account`."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from datetime import date
from pathlib import Path

import uvicorn
from alembic.util import CommandError

from pipelines.beijing import beijing_day
from pipelines.errors import HeduiError
from pipelines.identity.keyring import KeyRing
from portal import permissions, suppressions
from portal.accounts import create_user, new_password
from portal.app import create_app, open_office
from portal.backup import BackupRefused, back_up, restore
from portal.database import open_database
from portal.demonstration import NoDemonstration, make_accounts
from portal.errors import DeskError
from portal.load import LoadReport, NightOutOfOrder, load_new_nights, load_night
from portal.serving import serve_processes
from portal.settings import SettingMissing, Settings, current_time, settings_from_environment

REFUSALS = (
    SettingMissing,
    HeduiError,
    BackupRefused,
    NightOutOfOrder,
    NoDemonstration,
    DeskError,
    OSError,
)


class PortTaken(OSError):
    """Another program listens on the port."""


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 refused or failed, 2 wrong arguments."""
    given = _parser().parse_args(arguments)
    if given.home:
        os.environ["HEDUI_HOME"] = str(given.home)
    try:
        settings = settings_from_environment(demonstration=given.command == "demo")
        return COMMANDS[given.command](settings, given)
    except REFUSALS as problem:
        print(f"portal {given.command}: {problem}", file=sys.stderr)
        return 1
    except CommandError as problem:
        # Only the migrations raise it: they do not know the revision that the tables are of.
        print(
            f"portal {given.command}: the database is of another version of the desk than this program ({problem}); "
            "wanted the program that wrote it, or a newer one",
            file=sys.stderr,
        )
        return 1


def serve(settings: Settings, given: argparse.Namespace) -> int:
    """Behind a reverse proxy that ends TLS; the proxy's address is the only one whose X-Forwarded-* count."""
    port = free_port(given.host, given.port or settings.port)
    # The tables are brought up to date before several processes would all begin to.
    create_app(settings).state.office.engine.dispose()
    serve_processes("portal.app:app_of_the_environment", given.host, port, given.workers)
    return 0


def load(settings: Settings, given: argparse.Namespace) -> int:
    """Load what is new, then write the explanations out for the next night."""
    office = open_office(settings)
    ring = KeyRing.open(settings.home, os.environ)
    one = [load_night(settings.home, given.as_of, office.engine, ring)] if given.as_of else None
    for report in one or load_new_nights(settings.home, office.engine, ring):
        _tell(report)
        if not report.repeated:
            told = {"as_of": report.as_of.isoformat(), "rows": report.rows, "moved": report.moved}
            office.journal.record("night_loaded", "system", told)
    today = beijing_day(current_time())
    print(f"explanations written: {suppressions.export(settings.home, office.engine, ring, today)}")
    return 0


def demo(settings: Settings, given: argparse.Namespace) -> int:
    """Load the sample province's nights and serve them with demonstration accounts, on loopback only."""
    port = free_port("127.0.0.1", given.port or settings.port)
    office = open_office(settings)
    load(settings, argparse.Namespace(as_of=None))
    accounts, password = make_accounts(office)
    print(f"\nhttp://127.0.0.1:{port}/   密码（所有演示账号）：{password}\n")
    for account in accounts:
        print(f"  {account.login:8} {permissions.ROLES[account.role]}  {account.display_name}")
    office.engine.dispose()
    uvicorn.run(create_app(settings), host="127.0.0.1", port=port, access_log=False, log_level="warning")
    return 0


def free_port(host: str, port: int) -> int:
    """The port, when nobody listens there. Raises PortTaken, before anything is loaded or an account is made."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        # As the server binds: a port that was only just left is free.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(
                f"port {port} of {host} is taken by another program; wanted a free one. Stop that program, or choose "
                "another port, for example --port 8090, or HEDUI_PORTAL_PORT=8090 (also before make portal)"
            ) from None
    return port


def take_backup(settings: Settings, given: argparse.Namespace) -> int:
    office = open_office(settings)
    rows = back_up(office.engine, given.file)
    office.journal.record("backup", "system", {"rows": sum(rows.values())})
    print(
        f"{given.file}: {sum(rows.values())} rows of {len(rows)} tables. The key ring is not in it: keep it elsewhere."
    )
    return 0


def bring_back(settings: Settings, given: argparse.Namespace) -> int:
    engine = open_database(settings.database)
    rows = restore(engine, given.file)
    print(f"{settings.database.split('@')[-1]}: {sum(rows.values())} rows of {len(rows)} tables restored.")
    return 0


def make_account(settings: Settings, given: argparse.Namespace) -> int:
    """The first administrator, or anybody when nobody can sign in."""
    office = open_office(settings)
    password = new_password()
    create_user(
        office,
        login=given.login,
        display_name=given.name,
        role=given.role,
        region=given.region,
        password=password,
    )
    office.journal.record(
        "user_made", "system", {"account": given.login, "role": given.role, "region": given.region}
    )
    print(f"{given.login}: first password {password} (to be changed at the first sign-in)")
    return 0


def _tell(report: LoadReport) -> None:
    if report.repeated:
        print(f"{report.as_of}: already loaded")
        return
    print(
        f"{report.as_of}: {report.rows} rows, {report.new} new, {report.changed} changed, {report.gone} withdrawn, "
        f"{report.cases} cases opened, {report.suppressed} explained, {report.moved} cases moved with their household"
    )


COMMANDS = {
    "serve": serve,
    "load": load,
    "demo": demo,
    "backup": take_backup,
    "restore": bring_back,
    "account": make_account,
}


def _port(told: str) -> int:
    if told.isascii() and told.isdigit() and 0 < int(told) < 65536:
        return int(told)
    raise argparse.ArgumentTypeError(f"{told} is no port; wanted a number from 1 to 65535")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m portal", description="The county desk (县级工作台)")
    parser.add_argument("--home", type=Path, help="the pipeline's home folder; default $HEDUI_HOME")
    commands = parser.add_subparsers(dest="command", required=True)
    served = commands.add_parser("serve", help="serve the desk")
    served.add_argument("--host", default="127.0.0.1")
    served.add_argument("--port", type=_port, help="default $HEDUI_PORTAL_PORT, or 8080")
    served.add_argument(
        "--workers",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="processes that serve (one for each core)",
    )
    loaded = commands.add_parser("load", help="load published nights, write explanations out")
    loaded.add_argument("--as-of", type=date.fromisoformat)
    tried = commands.add_parser("demo", help="load, make demonstration accounts, serve on loopback")
    tried.add_argument("--port", type=_port, help="default $HEDUI_PORTAL_PORT, or 8080")
    for name, about in (
        ("backup", "write the database to FILE"),
        ("restore", "fill an empty database from FILE"),
    ):
        commands.add_parser(name, help=about).add_argument("file", type=Path)
    account = commands.add_parser("account", help="make an account")
    for name in ("login", "name", "region"):
        account.add_argument(f"--{name}", required=True)
    account.add_argument("--role", required=True, choices=list(permissions.ROLES))
    return parser


if __name__ == "__main__":
    sys.exit(main())
