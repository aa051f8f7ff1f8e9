from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.portal.desks import serve_desk
from tests.portal.nights import household, lead, number, publish
from tests.portal.seats import CHROMIUM, NO_CHROMIUM

NIGHT = "2026-06-30"


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The folder of a desk that has loaded the night of `load_sample`, to be copied."""
    folder = tmp_path_factory.mktemp("sample")
    with serve_desk(folder) as served:
        load_sample(served)
    return folder


@pytest.fixture
def desk(request, tmp_path):
    """An empty desk with its own SQLite database; with `loaded` one that knows a night."""
    if "loaded" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("sample"), tmp_path, dirs_exist_ok=True)
    with serve_desk(tmp_path) as served:
        yield served


@pytest.fixture
def loaded(desk):
    """A desk with one night: a household with two leads, one alone, one in another county, two families to help."""
    if not (desk.home / "nights").exists():  # a module's own desk
        load_sample(desk)
    return desk


@pytest.fixture(scope="module")
def browser():
    if not Path(CHROMIUM).exists():
        pytest.skip(NO_CHROMIUM)
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def load_sample(desk):
    as_of = publish(
        desk.home,
        desk.ring,
        NIGHT,
        [
            lead("H1", "A01", id=number(1), name="张三"),
            lead("H1", "D01", id=number(2), name="李四", value=45, line=0),
            lead("H2", "I01", id=number(3), name="王五", town="002"),
            lead("F1", "A01", id=number(4), name="赵六", county="440104"),
        ],
        [
            lead("C1", "N01", id=number(5), name="孙七"),
            lead("F2", "N02", id=number(6), name="周八", county="440104"),
        ],
        roster=[household("H1"), household("H2", town="002", area="rural"), household("F1", county="440104")],
    )
    return desk.load(as_of)


@pytest.fixture
def county(loaded):
    return loaded.officer("xian1", "county", "440103")


@pytest.fixture
def second(loaded):
    return loaded.officer("xian2", "county", "440103")
