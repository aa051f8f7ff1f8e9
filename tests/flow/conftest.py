"""Worlds and nights that the tests of the whole flow share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracle.world import as_of, write_world

from .forked import Parent
from .nights import SEED, World


@pytest.fixture(scope="session")
def parent() -> Iterator[Parent]:
    one = Parent()
    yield one
    one.close()


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    """The same world on three nights in a row."""
    found = []
    for night in range(3):
        folder = tmp_path_factory.mktemp(f"world-{night}")
        write_world(folder, SEED, night)
        found.append(World(folder, as_of(SEED, night)))
    return found


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HEDUI_") and name != "HEDUI_LONG":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def undisturbed(worlds: list[World], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Seals of the three nights, run one after another in a home of their own; and the lists of the last."""
    home = tmp_path_factory.mktemp("undisturbed")
    return {world.day: world.run(home)["seal"] for world in worlds} | {"home": str(home)}


def scanned(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
