"""Airflow's connections say where departments are, in the words `hedui nightly` takes from the environment."""

from __future__ import annotations

import json
import os

import pytest

from connectors.transports.settings import read_settings
from dags.connections import feed_variables, reaching

BANKS = {
    "conn_type": "https",
    "host": "banks.example",
    "port": 8443,
    "schema": "v1/banks",
    "password": "a shared secret",
    "extra": {"key_id": "county-440103", "MODE": "paged"},
}


@pytest.fixture
def connection(airflow, monkeypatch):
    """Puts a connection where Airflow's secrets backend of the environment finds it."""

    def put(source, **values):
        monkeypatch.setenv(f"AIRFLOW_CONN_HEDUI_{source.upper()}", json.dumps(values))

    return put


def test_a_connection_becomes_the_variables_of_its_source(connection):
    connection("banks", **BANKS)
    with reaching("banks", "tax"):
        settings = read_settings("banks", os.environ)
        assert settings.url.geturl() == "https://banks.example:8443/v1/banks"
        assert settings.secret("KEY") == "a shared secret"
        assert settings.text("KEY_ID") == "county-440103" and settings.text("MODE") == "paged"
        assert "HEDUI_FEED_TAX" not in os.environ
    assert not [name for name in os.environ if name.startswith("HEDUI_FEED_BANKS")]


def test_what_the_environment_says_goes_first(connection, monkeypatch):
    connection("banks", **BANKS)
    monkeypatch.setenv("HEDUI_FEED_BANKS", "sftp://county@elsewhere/banks")
    with reaching("banks"):
        assert os.environ["HEDUI_FEED_BANKS"] == "sftp://county@elsewhere/banks"
        assert "HEDUI_FEED_BANKS__KEY" not in os.environ


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (
            {"conn_type": "sftp", "host": "bank", "port": 2222, "login": "a@b", "schema": "/drop"},
            "sftp://a%40b@bank:2222/drop",
        ),
        (
            {
                "conn_type": "postgres",
                "host": "db",
                "login": "reader",
                "schema": "shared",
                "extra": {"query": "a=b"},
            },
            "postgresql+psycopg://reader@db/shared?a=b",
        ),
    ],
)
def test_addresses_of_other_kinds(airflow, given, address):
    from airflow.sdk.definitions.connection import Connection

    made = Connection.from_json(json.dumps(given | {"password": "p"}), conn_id="hedui_banks")
    variables = feed_variables("HEDUI_FEED_BANKS", made)
    assert variables == {"HEDUI_FEED_BANKS": address, "HEDUI_FEED_BANKS__PASSWORD": "p"}


def test_a_file_of_addresses_goes_before_a_connection_and_may_come_later(connection, monkeypatch, tmp_path):
    connection("banks", **BANKS)
    file = tmp_path / "addresses.env"
    monkeypatch.setenv("HEDUI_FEEDS_ADDRESSES", str(file))
    with reaching("banks"):
        assert os.environ["HEDUI_FEED_BANKS"] == "https://banks.example:8443/v1/banks"
    file.write_text(
        "HEDUI_FEED_BANKS='sftp://a@b/c d'\nHEDUI_FEED_BANKS__PASSWORD=x\nHEDUI_FEED_TAX=y\nPATH=/\n"
    )
    with reaching("banks"):
        assert os.environ["HEDUI_FEED_BANKS"] == "sftp://a@b/c d"
        assert os.environ["HEDUI_FEED_BANKS__PASSWORD"] == "x"
        assert "HEDUI_FEED_TAX" not in os.environ and os.environ["PATH"] != "/"
