"""A night that asks departments about persons (总对总): exactly those who may be asked about, sealed, and on record."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.departments.running import Departments
from connectors.departments.serve import serve
from connectors.errors import FeedUnavailable
from connectors.transports.sealing import key_fingerprint, unseal_query
from pipelines import stages
from pipelines.audit import AuditLog
from pipelines.identity.keyring import KeyRing
from tests.oracle import linking
from tests.oracle.policy import Policy
from tests.oracle.reading import read_feeds

from .nights import World, is_whole, scanned_text

ASKED = ("tax", "banks", "insurance")
QUICK = {"POLL_SECONDS": "0.01", "BACKOFF_SECONDS": "0.01", "ATTEMPTS": "3", "DEADLINE_SECONDS": "10"}


@pytest.fixture(scope="module")
def departments(worlds: list[World]) -> Iterator[Departments]:
    with serve(worlds[0].feeds, http=0) as running:
        yield running


def reach_by_batch(monkeypatch: pytest.MonkeyPatch, departments: Departments) -> None:
    for source in ASKED:
        variable = f"HEDUI_FEED_{source.upper()}"
        settings = departments.environ(source, "batch") | {f"{variable}__{k}": v for k, v in QUICK.items()}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)


def may_be_asked_about(world: World, source: str) -> set[str]:
    """As the independent reading of the specification tells it."""
    sources = read_feeds(world.feeds, Policy(world.policy, world.as_of), world.as_of)
    active = [h for h in linking.roster_households(sources["roster"]) if h.head["household_status"] == "在保"]
    monitored = linking.monitored_households(sources["rural_revitalisation"])
    persons = [p for h in [*active, *linking.candidates(monitored, active)] for p in h.members]
    if source == "tax":
        persons += [p for h in active if h.programme in ("低保", "特困") for p in h.obligors]
    authorisations = linking.Authorisations(sources["roster"], world.as_of)
    numbers = {p.id.text for p in persons if p.id.valid}
    allowed = {number for number in numbers if authorisations.allows(number, source)}
    assert allowed < numbers, "nobody lacks an authorisation: this world shows nothing"
    return allowed


@dataclass
class Asked:
    """What arrived at a department, opened with its key."""

    sealed: bytes
    source: str
    as_of: date
    persons: dict[str, str]


def arrived(departments: Departments) -> list[Asked]:
    found = []
    for sealed in departments.http.queries:
        for source in ASKED:
            try:
                query = json.loads(unseal_query(sealed, departments.query_key, source))
            except ValueError:
                continue
            assert query["source"] == source
            numbers = [person["id_number"] for person in query["persons"]]
            assert numbers == sorted(set(numbers))
            persons = {person["id_number"]: person["name"] for person in query["persons"]}
            found.append(Asked(sealed, source, date.fromisoformat(query["as_of"]), persons))
    return found


def query_entries(home: Path) -> list[dict[str, Any]]:
    log = AuditLog(home, KeyRing.open(home, {}))
    return [entry.detail for entry in log.entries() if entry.action == "query"]


def test_a_night_asks_about_exactly_those_who_allow_it_and_judges_the_answer_like_a_folder(
    worlds: list[World], departments: Departments, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world, home = worlds[0], tmp_path / "home"
    departments.http.queries.clear()
    departments.http.batches.clear()
    reach_by_batch(monkeypatch, departments)
    night = world.run(home)
    lists = arrived(departments)
    assert sorted(asked.source for asked in lists) == sorted(ASKED)
    for asked in lists:
        assert asked.persons.keys() == may_be_asked_about(world, asked.source)
        assert asked.as_of == world.as_of
    # One entry each says what left, and of whom it was is nowhere.
    entries = {entry["source"]: entry for entry in query_entries(home)}
    assert len(query_entries(home)) == len(lists)
    for asked in lists:
        assert entries[asked.source] == {
            "as_of": world.day,
            "source": asked.source,
            "persons": len(asked.persons),
            "list_sha256": hashlib.sha256(asked.sealed).hexdigest(),
            "sealed_for": key_fingerprint(departments.query_key.public_key()),
            "signed_with": departments.key.key_id,
        }
    plain = {text for asked in lists for pair in asked.persons.items() for text in pair if len(text) > 2}
    kept = scanned_text(home)
    assert not [text for text in plain if any(text.encode(code) in kept for code in ("utf-8", "gb18030"))]
    assert is_whole(home)

    feeds = tmp_path / "feeds"
    shutil.copytree(world.feeds, feeds)
    for batch in departments.http.batches.values():
        source = json.loads(batch.files["receipt.json"])["source"]
        shutil.rmtree(feeds / source)
        (feeds / source).mkdir()
        for name, content in batch.files.items():
            (feeds / source / name).write_bytes(content)
    for source in ASKED:
        monkeypatch.delenv(f"HEDUI_FEED_{source.upper()}")
    (tmp_path / "policy.toml").write_bytes(world.policy.read_bytes())
    assert World(tmp_path, world.as_of).run(tmp_path / "other")["seal"] == night["seal"]


def values_of_a_task(world: World, home: Path) -> dict[str, Any]:
    """A night in tasks up to the people: what a source's own task is given."""
    given = {
        "as_of": world.day, "feeds": str(world.feeds), "home": str(home), "policy": str(world.policy),
    }  # fmt: skip
    values: dict[str, Any] = stages.begin_night(given, world.as_of, "run")["values"]
    stages.read_people(values, "run")
    return values


def test_a_task_asks_the_same_and_once(
    worlds: list[World], departments: Departments, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world, home = worlds[0], tmp_path / "home"
    departments.http.queries.clear()
    reach_by_batch(monkeypatch, departments)
    values = values_of_a_task(world, home)
    counts = stages.read_source(values, "run", "banks", may_wait=True)
    assert counts["state"] == "accepted"
    (asked,) = arrived(departments)
    assert asked.persons.keys() == may_be_asked_about(world, "banks")
    assert len(query_entries(home)) == 1


def test_a_department_that_is_down_is_asked_again_by_the_task_and_missing_otherwise(
    worlds: list[World], departments: Departments, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world, home = worlds[0], tmp_path / "home"
    reach_by_batch(monkeypatch, departments)
    values = values_of_a_task(world, home)
    departments.plan("banks", "503")
    with pytest.raises(FeedUnavailable):
        stages.read_source(values, "run", "banks", may_wait=True)
    assert stages.read_source(values, "run", "banks", may_wait=False)["state"] == "missing"
    departments.heal()
    monkeypatch.setenv("HEDUI_FEED_BANKS__NO_SUCH_OPTION", "1")
    assert stages.read_source(values, "run", "banks", may_wait=True)["state"] == "missing"
