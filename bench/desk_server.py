"""The desk as it is measured: the real application over HTTP, in as many worker processes as told.

    python -m bench.desk_server ROOT DATABASE PORT WORKERS

Only the limits that would stop fifty officers on one address are lifted: sign-ins, requests and downloads.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from starlette.applications import Starlette

from pipelines.identity.keyring import KeyRing
from portal.app import create_app
from portal.serving import serve_processes
from portal.settings import Settings

_ROOT, _DATABASE = "BENCH_DESK_ROOT", "BENCH_DESK_DATABASE"


def desk_settings(root: Path, database: str) -> Settings:
    return Settings(
        home=root / "home",
        database=database,
        secret="bench" * 8,
        https=False,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        downloads_per_hour=100_000,
        reveals_per_hour=100_000,
    )


def open_ring(root: Path) -> KeyRing:
    return KeyRing.open(root / "home", {"HEDUI_KEYRING": str(root / "ring.json")})


def measured_app() -> Starlette:
    """What each worker process serves."""
    root = Path(os.environ[_ROOT])
    return create_app(desk_settings(root, os.environ[_DATABASE]), open_ring(root))


def main() -> None:
    root, database, port, workers = sys.argv[1:]
    os.environ[_ROOT], os.environ[_DATABASE] = root, database
    serve_processes(
        "bench.desk_server:measured_app", "127.0.0.1", int(port), int(workers), log_level="warning"
    )


if __name__ == "__main__":
    main()
