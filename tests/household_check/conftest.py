from __future__ import annotations

from datetime import date

import pytest

from pipelines.night import run_night
from pipelines.settings import Settings
from sample_data.build import write_province


@pytest.fixture(scope="session")
def night(tmp_path_factory):
    """Settings and manifest of a night over a small synthetic province."""
    folder = tmp_path_factory.mktemp("household_check")
    write_province(folder / "feeds", households=400, seed=1, departments="all")
    settings = Settings(home=folder / "home", as_of=date(2026, 6, 30), feeds=folder / "feeds", workers=1)
    return settings, run_night(settings)
