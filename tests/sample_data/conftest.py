"""One small province for all tests that only read it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from sample_data.build import write_province

HOUSEHOLDS = 400


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province") / "feeds"
    write_province(folder, HOUSEHOLDS, seed=5)
    return folder


@pytest.fixture(scope="session")
def truth(province: Path) -> Callable[[str], list[dict[str, str]]]:
    """Rows of a file of truth/, by its name without .csv."""

    def read(name: str) -> list[dict[str, str]]:
        with (province / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read
