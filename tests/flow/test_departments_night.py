"""A night of all departments, most of them over the wire, has the seal of the night that reads their folders."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.departments.serve import serve
from connectors.registry import all_contracts
from dags.departments import WAYS, serving
from pipelines.night import run_night
from pipelines.settings import Settings
from sample_data.build import write_province
from sample_data.figures import SOURCES
from sample_data.further import FURTHER_SOURCES

AS_OF = date(2026, 6, 30)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all") / "feeds"
    write_province(folder, households=40, seed=3, as_of=AS_OF, departments="all")
    return folder


def test_the_seal_is_the_same_over_four_transports(
    feeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = run_night(Settings(home=tmp_path / "direct", as_of=AS_OF, feeds=feeds, workers=1))
    with serve(feeds, http=0, sftp=0, postgres="embedded") as departments:
        for source, way in WAYS.items():
            for name, value in departments.environ(source, way).items():
                monkeypatch.setenv(name, value)
        # What is not asked over the wire has its folder; nothing else is there to be read instead.
        folders = tmp_path / "folders"
        for source in set(all_contracts()) - set(WAYS):
            if (feeds / source).is_dir():
                (folders / source).parent.mkdir(exist_ok=True)
                (folders / source).symlink_to(feeds / source)
        asked = run_night(Settings(home=tmp_path / "asked", as_of=AS_OF, feeds=folders, workers=1))
    assert asked["seal"] == direct["seal"]
    assert asked["status"] == direct["status"]
    states = {source: told["state"] for source, told in asked["status"]["sources"].items()}
    assert states == dict.fromkeys([*SOURCES, *FURTHER_SOURCES], "accepted")
    assert len(set(WAYS.values())) >= 3 and len(set(WAYS) & set(FURTHER_SOURCES)) >= 10


def test_the_departments_of_an_embedded_night_answer_and_end_with_it(feeds: Path) -> None:
    told: list[str] = []
    with serving(feeds, told.append) as variables:
        asked = {name for name in variables if "__" not in name}
        assert asked == {f"HEDUI_FEED_{source.upper()}" for source in WAYS}
        assert all(
            variables[name].startswith(("http://127.0.0.1:", "sftp://", "postgresql+")) for name in asked
        )
    assert told == ["departments: on this machine, 5 by https, 2 by pages, 5 by sftp, 6 by sql"]


def test_where_none_can_be_served_the_folders_are_read(tmp_path: Path) -> None:
    told: list[str] = []
    with serving(tmp_path / "no such folder", told.append) as variables:
        assert variables == {}
    assert told == ["departments: they cannot be served here; all feeds are read from folders"]
