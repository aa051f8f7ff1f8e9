"""Nights of intake in one home: the departments' files stay as they were on the first night, the people's change."""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.registry import people_sources
from pipelines.evidence_kept import keep_evidence
from pipelines.identity.keyring import KeyRing
from pipelines.intake.evidence import intake_source
from pipelines.intake.people_tables import read_columns
from pipelines.intake.sealed_names import open_names
from pipelines.night import clear_work, judging_of, run_people
from pipelines.policy_in_force import load_policy
from pipelines.settings import Settings
from policy.model import PolicyAt
from tests.oracle.builder import Builder
from tests.oracle.writing import write_feeds

DEPARTMENTS = ("tax", "market_regulation", "banks", "securities", "insurance", "household_registration")


@dataclass
class Evidence:
    """What a night's intake came to; `reused` by source, everything else must not hang on it."""

    rows: dict[str, pa.Table]
    registers: list[dict[str, Any]]
    quarantine: dict[str, pa.Table]
    results: dict[str, dict[str, Any]]
    reused: dict[str, str]


class Nights:
    """One home and its feeds; tonight is the first night, then the one after the last that was kept."""

    def __init__(self, folder: Path, builder: Builder) -> None:
        self.folder, self.builder, self.day = folder, builder, builder.as_of
        self.people_reused: dict[str, str] = {}
        self._written = self._monitored()
        self.home, self.feeds = folder / "home", folder / "feeds"
        self.home.mkdir()
        (folder / "policy.toml").write_text(builder.law.toml(), "utf-8")
        write_feeds(builder, self.feeds, self.day, {}, random.Random(1), None)
        for source in DEPARTMENTS:  # none too old on a later night
            receipt = self.feeds / source / "receipt.json"
            told = {**json.loads(receipt.read_bytes()), "snapshot_date": self.day.isoformat()}
            receipt.write_text(json.dumps(told))

    def _monitored(self) -> list[str]:
        return [repr(record) for record in self.builder.records if record.table == "rural_revitalisation"]

    def copy_to(self, folder: Path) -> None:
        """Go on in a copy of the home and its feeds."""
        shutil.copytree(self.folder, folder)
        self.folder, self.home, self.feeds = folder, folder / "home", folder / "feeds"

    @property
    def settings(self) -> Settings:
        return Settings(self.home, self.day, self.feeds, self.folder / "policy.toml", 1)

    def next_night(self) -> None:
        """The people's files as the records are now; the departments' untouched."""
        self.day += timedelta(days=1)
        written = self.folder / "written"
        write_feeds(self.builder, written, self.day, {}, random.Random(1), None)
        monitored = self._monitored()
        for source in people_sources():
            if source == "rural_revitalisation" and monitored == self._written:
                continue  # a workbook of the same rows would be another file: it has the time in it
            shutil.rmtree(self.feeds / source)
            shutil.move(written / source, self.feeds / source)
        shutil.rmtree(written)
        self._written = monitored

    def read(self) -> Evidence:
        """Tonight's intake with what is kept of the night before."""
        self._read_people()
        return self._read_departments()

    def read_twice(self) -> tuple[Evidence, Evidence]:
        """Tonight's intake with what is kept of the night before; and without. The people must be the same."""
        kept, aside = self.home / "evidence", self.folder / "aside"
        kept.rename(aside)
        self._read_people()
        people = self._people()
        whole = self._read_departments()
        aside.rename(kept)
        self._read_people()
        again = self._people()
        for name, found in again.items():
            assert found == people[name], name
        assert set(again) == set(people)
        return self._read_departments(), whole

    def keep(self) -> None:
        """What closing a published night does."""
        about: dict[str, Any] = {"as_of": self.day.isoformat(), "seal": ""}
        manifest: Any = {
            **about, "run": "r", "folder": f"{self.day}-r", "published_at": "", "key_version": 1, "previous": None,
            "files": {}, "inputs": {}, "details": {}, "status": {**about, "complete": True, "sources": {},
            "lists": {}, "policy": {}},
        }  # fmt: skip
        (self.home / "nights").mkdir(exist_ok=True)
        (self.home / "nights" / f"{self.day}.json").write_text(json.dumps(manifest))
        (self.settings.work / "link").mkdir()
        assert keep_evidence(self.settings, manifest, {}, self._ring().cipher()) is not None

    def _law(self) -> PolicyAt:
        return load_policy(self.settings)

    def _ring(self) -> KeyRing:
        return KeyRing.open(self.home, os.environ)

    def _read_people(self) -> None:
        clear_work(self.settings)
        run_people(self.settings, self._law(), self._ring())

    def _people(self) -> dict[str, Any]:
        """Every table of the people, their names, quarantine and results; `people_reused` is told apart."""
        work = self.settings.work
        found: dict[str, Any] = people_tables(work / "people")
        found["names"] = open_names(work / "people" / "names.sealed", self._ring().cipher())
        found["results"] = json.loads((work / "people" / "sources.json").read_bytes())
        self.people_reused = {source: one.pop("reused") for source, one in found["results"].items()}
        for source in people_sources():
            found[f"quarantine of {source}"] = pq.read_table(work / "quarantine" / f"{source}.parquet")
            found[f"noted of {source}"] = json.loads((work / "people" / source / "read.json").read_bytes())
        return found

    def _read_departments(self) -> Evidence:
        law, cipher = self._law(), self._ring().cipher()
        for source in DEPARTMENTS:
            intake_source(self.settings, source, law, cipher, judging_of(law))
        return self._found()

    def _found(self) -> Evidence:
        work = self.settings.work
        rows, quarantine, results = {}, {}, {}
        for source in DEPARTMENTS:
            folder = work / "evidence" / source
            parts = [
                pa.ipc.open_file(part.read_bytes()).read_all() for part in sorted(folder.glob("part-*.arrow"))
            ]
            rows[source] = pa.concat_tables(parts) if parts else pa.table({"row": []})
            quarantine[source] = pq.read_table(work / "quarantine" / f"{source}.parquet")
            results[source] = json.loads((folder / "source.json").read_bytes())
        looked_at = [
            row
            for part in (work / "evidence" / "household_registration").glob("register-*.parquet")
            for row in pq.read_table(part).to_pylist()
        ]
        reused = {source: result.pop("reused") for source, result in results.items()}
        return Evidence(rows, sorted(looked_at, key=repr), quarantine, results, reused)


def people_tables(folder: Path) -> dict[str, pa.Table]:
    found = {path.stem: pq.read_table(path) for path in folder.glob("*.parquet")}
    found |= {path.stem: read_columns(path) for path in folder.glob("*.arrow")}
    assert found.keys() >= {"record", "household", "asked_record", "person", "person_name", "authorised"}
    return found


def in_any_order(rows: pa.Table) -> list[tuple[Any, ...]]:
    assert len(set(rows.column("row").to_pylist())) == len(rows), "two rows of one number"
    return sorted(zip(*(rows.drop_columns("row").to_pydict().values()), strict=True), key=repr)


def assert_same(carried: Evidence, whole: Evidence) -> None:
    assert set(whole.reused.values()) == {"nothing"}
    for source in DEPARTMENTS:
        assert in_any_order(carried.rows[source]) == in_any_order(whole.rows[source]), source
        assert carried.quarantine[source] == whole.quarantine[source], source
    assert carried.results == whole.results
    assert carried.registers == whole.registers
