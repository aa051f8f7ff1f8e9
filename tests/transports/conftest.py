"""Departments on loopback, started once for the tests that leave them as they are."""

import tempfile
from contextlib import contextmanager

import pytest

from connectors.departments.serve import serve
from connectors.feeds import open_feed
from tests.transports.handmade import write_feeds

# Tries come quickly, and end: no test waits longer than this for a department that never answers.
IMPATIENT = {"BACKOFF_SECONDS": "0.01", "ATTEMPTS": "4", "DEADLINE_SECONDS": "10", "TIMEOUT_SECONDS": "5"}


@pytest.fixture(scope="session")
def feeds(tmp_path_factory):
    return write_feeds(tmp_path_factory.mktemp("feeds"))


@pytest.fixture(scope="session")
def shared_departments(feeds):
    with serve(feeds, http=0, sftp=0, postgres="embedded") as running:
        yield running


@pytest.fixture
def departments(shared_departments):
    """All departments, without faults before and after the test."""
    yield shared_departments
    if shared_departments.faults.planned():
        shared_departments.heal()


@pytest.fixture
def spool_folder(tmp_path, monkeypatch):
    """The folder in which temporary files of the fetching side are made."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@contextmanager
def reach(departments, source, way, query=None, **options):
    """The feed of a source by one way, closed in the end. An option set to None is left out."""
    variable = f"HEDUI_FEED_{source.upper()}"
    changed = {f"{variable}__{key}": value for key, value in (IMPATIENT | options).items()}
    environ = {
        key: value for key, value in (departments.environ(source, way) | changed).items() if value is not None
    }
    feed = open_feed(source, None, environ, query)
    try:
        yield feed
    finally:
        feed.close()
