"""`serve(folder, …)`: the departments of a folder of feeds, as a county would meet them."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from connectors.departments.faults import DATA_FAULTS, LINE_FAULTS, SLOW_SECONDS
from connectors.departments.running import Departments

WAYS = ("https", "pages", "batch", "sftp", "sql")


def serve(
    folder: Path,
    *,
    http: int | None = None,
    sftp: int | None = None,
    postgres: str | None = None,
    faults: Iterable[str] = (),
    host: str = "127.0.0.1",
    name: str = "127.0.0.1",
    tls: bool = False,
    cut_after: int = 100_000,
    slow_seconds: float = SLOW_SECONDS,
) -> Departments:
    """Serve the feeds in `folder` until closed.

    http, sftp: ports to listen on, 0 for any free one, None for not at all. postgres: "embedded", the
    address of a server's owner, or None. faults: as `banks=torn:2`. name: what the others call this
    machine. tls: https with client certificates. cut_after: where torn connections are cut, in bytes.
    slow_seconds: how late each piece of a slow answer comes.
    Raises ValueError for an unknown fault.
    """
    return Departments(
        folder,
        http=http,
        sftp=sftp,
        postgres=postgres,
        faults=faults,
        host=host,
        name=name,
        tls=tls,
        cut_after=cut_after,
        slow_seconds=slow_seconds,
    )


def write_environment(departments: Departments, ways: dict[str, str], path: Path) -> None:
    """A file of shell variables, for its owner only, with which `hedui nightly` reaches every source."""
    lines = []
    for source, way in ways.items():
        lines += [f"{key}={shlex.quote(value)}" for key, value in departments.environ(source, way).items()]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    kinds = "; ".join(f"{kind}: {what}" for kind, what in (LINE_FAULTS | DATA_FAULTS).items())
    parser = argparse.ArgumentParser(
        prog="hedui departments serve",
        description="Mock departments on a folder of feeds.",
        epilog=f"Faults: {kinds}.",
    )
    parser.add_argument("folder", type=Path, help="folder of feeds, one folder a source")
    parser.add_argument("--http", type=int, metavar="PORT", help="bulk files, pages and batches over HTTP")
    parser.add_argument("--sftp", type=int, metavar="PORT")
    parser.add_argument(
        "--postgres", nargs="?", const="embedded", metavar="URL", help="views in a PostgreSQL (default: own)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--name", default="127.0.0.1", help="how the others call this machine")
    parser.add_argument("--tls", action="store_true", help="https, client certificates required")
    parser.add_argument("--fault", action="append", default=[], metavar="SOURCE=KIND[:TIMES]")
    parser.add_argument(
        "--by", action="append", default=[], metavar="SOURCE=WAY", help=f"WAY: {', '.join(WAYS)}"
    )
    parser.add_argument(
        "--env", type=Path, metavar="FILE", help="write the variables that reach these departments"
    )
    return parser


def _choose_ways(arguments: argparse.Namespace, sources: Sequence[str]) -> dict[str, str]:
    first = "https" if arguments.http is not None else "sftp" if arguments.sftp is not None else "sql"
    ways = dict.fromkeys(sources, first)
    for choice in arguments.by:
        source, _, way = choice.partition("=")
        if source not in ways or way not in WAYS:
            raise ValueError(
                f"--by wants SOURCE=WAY, a source served and one of {', '.join(WAYS)}; found {choice!r}"
            )
        ways[source] = way
    return ways


def serve_main(argv: Sequence[str]) -> int:
    """`hedui departments serve`: until interrupted. Returns 0; wrong arguments end with exit status 2."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.http is None and arguments.sftp is None and arguments.postgres is None:
        parser.error("nothing to serve: give --http, --sftp or --postgres")
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder} is no folder of feeds")
    try:
        with _serve_arguments(arguments) as departments:
            ways = _choose_ways(arguments, departments.shelf.sources())
            if arguments.env:
                write_environment(departments, ways, arguments.env)
            for source, way in ways.items():
                print(
                    f"{source:24} {way:6} {departments.environ(source, way)[f'HEDUI_FEED_{source.upper()}']}",
                    flush=True,
                )
            _wait_for_signal()
    except ValueError as error:
        parser.error(str(error))
    return 0


def _serve_arguments(arguments: argparse.Namespace) -> Departments:
    return serve(
        arguments.folder,
        http=arguments.http,
        sftp=arguments.sftp,
        postgres=arguments.postgres,
        faults=arguments.fault,
        host=arguments.host,
        name=arguments.name,
        tls=arguments.tls,
    )


def _wait_for_signal() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    print("departments closed", file=sys.stderr)
