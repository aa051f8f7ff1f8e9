"""A night through Airflow is the night of `hedui nightly`, and Airflow learns nobody's name or number."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import socket
import sqlite3
from datetime import date
from urllib.parse import urlsplit

import pytest

from connectors.registry import evidence_sources
from dags.deadline import tell_operators
from dags.departments import serving
from dags.embedded import run_dag
from pipelines.audit import AuditLog
from pipelines.household_check import open_check
from pipelines.identity.keyring import KeyRing
from pipelines.lists import read_list
from pipelines.manifest import latest, published_nights
from pipelines.night import run_night
from pipelines.settings import Settings
from pipelines.stages import StageFailed, telling_no_values
from tests.dags.conftest import AS_OF

pytestmark = pytest.mark.timeout(300)


def params_of(settings, **more):
    return {"as_of": str(settings.as_of), "feeds": str(settings.feeds), "home": str(settings.home), **more}


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def rows(airflow, query):
    with sqlite3.connect(airflow / "airflow.db") as con:
        return con.execute(query).fetchall()


def canaries(feeds):
    """Every number and every longer name on the roster."""
    found = set()
    for line in (feeds / "roster" / "members.csv").read_text("utf-8-sig").splitlines()[1:]:
        fields = [field.strip() for field in line.split(",")]
        found |= {field for field in fields[1:2] if len(field) >= 15}
        found |= {field for field in fields[2:3] if len(field) >= 3}
    return found


def assert_holds_none(folder, wanted):
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [value for value in wanted if value.encode() in content], file


def ask_departments(variables, monkeypatch):
    """Over the wire; market_regulation by a connection of Airflow, the others by the environment."""
    mine = {name: value for name, value in variables.items() if "MARKET_REGULATION" in name}
    for name, value in variables.items():
        if name not in mine:
            monkeypatch.setenv(name, value)
    address = urlsplit(mine.pop("HEDUI_FEED_MARKET_REGULATION"))
    options = {name.partition("__")[2].lower(): value for name, value in mine.items()}
    connection = {
        "conn_type": address.scheme,
        "host": address.hostname,
        "port": address.port,
        "login": address.username,
        "schema": address.path.lstrip("/"),
        "password": options.pop("password"),
        "extra": options,
    }
    monkeypatch.setenv("AIRFLOW_CONN_HEDUI_MARKET_REGULATION", json.dumps(connection))


def test_a_night_through_airflow_has_the_seal_of_hedui_nightly(
    airflow, dag_bag, settings, tmp_path, monkeypatch
):
    """With departments asked over the wire, and one that does not answer: tried again, then missing, in both."""
    monkeypatch.setenv("HEDUI_FEED_INSURANCE", f"http://127.0.0.1:{closed_port()}/")
    monkeypatch.setenv("HEDUI_FEED_INSURANCE__ATTEMPTS", "1")
    direct = run_night(Settings(home=tmp_path / "direct", as_of=AS_OF, feeds=settings.feeds, workers=1))
    told = []
    with serving(settings.feeds, told.append) as variables:
        ask_departments(variables, monkeypatch)
        run = run_dag("nightly_check", params_of(settings), tell=told.append)
    assert told[0].startswith("departments: on this machine") and any(
        line.endswith("department market_regulation") for line in told
    )
    assert run["state"] == "success"
    assert len(run["failed"]) == 3 and all(
        "insurance: found the connection failed" in one for one in run["failed"]
    )
    manifest = latest(settings.home)
    assert manifest["seal"] == direct["seal"]
    assert manifest["status"]["sources"]["insurance"]["state"] == "missing"
    assert manifest["details"] == direct["details"]

    tries = dict(
        rows(airflow, "select map_index, try_number from task_instance where task_id = 'department'")
    )
    assert sorted(tries.values()) == [1] * (len(evidence_sources()) - 1) + [4]
    assert rows(airflow, "select count(*) from asset_event") == [(3,)]
    assert not (settings.home / "lease.json").exists() and not (settings.home / "work" / str(AS_OF)).exists()

    told = rows(airflow, "select task_id, value from xcom")
    assert {task for task, _ in told} >= {"people", "department", "link", "assess", "publish"}
    assert all(len(str(value)) < 4000 for _, value in told)
    assert len(canaries(settings.feeds)) > 50
    assert_holds_none(airflow, canaries(settings.feeds))
    assert_holds_none(settings.home, canaries(settings.feeds))

    check_one_household_and_retain(airflow, settings)


def check_one_household_and_retain(airflow, settings):
    """On the night just published: both other DAGs."""
    ring = KeyRing.open(settings.home, {})
    lead = read_list(settings.home, AS_OF, "discrepancies", ring).to_pylist()[0]
    asked = {"household_id": lead["家庭编号"], "actor": "王", "reason": "来访", "home": str(settings.home)}
    assert run_dag("check_household", asked)["state"] == "success"
    (value,) = rows(airflow, "select value from xcom where task_id = 'check'")[0]
    answer = json.loads(value) if isinstance(value, str) else value
    (sealed,) = (settings.home / "checks").glob("*.sealed")
    assert str(sealed) in str(answer)
    opened = open_check(settings.home, sealed, "王", "来访")
    assert lead["公民身份号码"] in [one["id_number"] for one in opened["leads"]]

    stale = settings.home / "evidence" / "2020-01-01-old"
    stale.mkdir()
    assert run_dag("retention", {"home": str(settings.home), "dry_run": True})["state"] == "success"
    assert stale.exists()
    assert run_dag("retention", {"home": str(settings.home)})["state"] == "success"
    assert not stale.exists() and published_nights(settings.home) == [AS_OF]
    assert_holds_none(airflow, canaries(settings.feeds))


def test_a_night_that_fails_says_why_and_gives_the_home_back(airflow, dag_bag, settings, tmp_path):
    feeds = tmp_path / "feeds"
    shutil.copytree(settings.feeds, feeds)
    shutil.rmtree(feeds / "roster")
    run = run_dag("nightly_check", params_of(settings, feeds=str(feeds)))
    assert run["state"] == "failed"
    assert any(line.startswith("people") and "roster is missing" in line for line in run["failed"])
    assert published_nights(settings.home) == []
    assert not (settings.home / "lease.json").exists()


def test_a_fault_is_told_by_type_and_place_alone():
    @telling_no_values
    def stage():
        raise ValueError("110101199003070396 is no amount")

    with pytest.raises(StageFailed, match=r"^ValueError at test_through_airflow.py:\d+ in stage") as told:
        stage()
    assert told.value.__cause__ is None and told.value.__context__ is None


def test_a_missed_deadline_is_logged_for_operators_and_auditors(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("HEDUI_HOME", str(tmp_path))
    with caplog.at_level(logging.ERROR):
        asyncio.run(tell_operators("nightly_check", context={"dag_run": {"dag_run_id": "scheduled__1"}}))
    assert "nightly_check has not finished in time (run scheduled__1)" in caplog.text
    (entry,) = AuditLog(tmp_path, KeyRing.open(tmp_path, {})).entries()
    assert (entry.action, entry.detail) == (
        "deadline_missed",
        {"dag": "nightly_check", "run": "scheduled__1"},
    )


def test_without_an_as_of_date_it_is_the_day_before(tmp_path, settings):
    from pipelines.stages import settings_values

    given = {"home": str(tmp_path), "feeds": str(settings.feeds), "as_of": None}
    assert settings_values(given, date(2026, 7, 1))["as_of"] == "2026-06-30"
