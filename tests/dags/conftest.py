from __future__ import annotations

import os
from datetime import date

import pytest

from dags import embedded
from pipelines.settings import Settings
from sample_data.build import write_province

AS_OF = date(2026, 6, 30)


@pytest.fixture(scope="session")
def airflow(tmp_path_factory):
    """An Airflow of its own: SQLite metadata brought up to date, pools made. Gives its folder."""
    before = dict(os.environ)
    folder = tmp_path_factory.mktemp("airflow")
    embedded.configure(folder)
    # As much log as a production installation writes, and no waiting between attempts.
    os.environ |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO", "HEDUI_RETRY_MINUTES": "0.01"}
    embedded.prepare()
    yield folder
    os.environ.clear()
    os.environ |= before


@pytest.fixture(scope="session")
def dag_bag(airflow):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"])


@pytest.fixture(scope="session")
def feeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feeds")
    write_province(folder, households=40, seed=2, as_of=AS_OF)
    return folder


@pytest.fixture
def settings(tmp_path, feeds):
    return Settings(home=tmp_path / "home", as_of=AS_OF, feeds=feeds, workers=1)
