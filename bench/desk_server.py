"""The desk as it is measured: the real application over HTTP, in as many worker processes as told.

    python -m bench.desk_server ROOT DATABASE PORT WORKERS

Only the limits that would stop fifty officers on one address are lifted: sign-ins, requests and downloads.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from pipelines.identity.keyring import KeyRing
from portal.app import create_app
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
    uvicorn.run(
        "bench.desk_server:measured_app",
        factory=True,
        host="127.0.0.1",
        port=int(port),
        workers=int(workers),
        access_log=False,
        log_level="warning",
        server_header=False,
    )


if __name__ == "__main__":
    main()
