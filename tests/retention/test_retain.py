"""What is past its time goes, with proof; what is not, and the latest night, stays."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest

from pipelines.audit import AuditLog
from pipelines.evidence_kept import evidence_folder
from pipelines.identity.keyring import new_ring
from pipelines.lease import HomeBusy, take_lease
from pipelines.manifest import latest, manifest_path, published_nights
from pipelines.retention import SHIPPED, RetentionTableError, read_keeping, retain
from pipelines.verify import verify_home
from tests.publish.night_builder import DISCREPANCY, publish

OLD, NEW = date(2023, 5, 31), date(2026, 6, 30)
TODAY = date(2026, 7, 1)


@pytest.fixture
def ring(tmp_path):
    return new_ring(tmp_path / "keys" / "ring.json")


@pytest.fixture
def home(tmp_path, ring):
    """Two nights, three years apart."""
    home = tmp_path / "home"
    home.mkdir()
    for as_of in (OLD, NEW):
        publish(home, ring, discrepancies=[DISCREPANCY], as_of=as_of)
    return home


def keep_evidence_of(home, name):
    folder = evidence_folder(home) / name
    folder.mkdir(parents=True)
    (folder / "record.parquet").write_bytes(b"0123456789")
    return folder


def kinds(deleted):
    return [(one.kind, one.name) for one in deleted]


def test_a_night_past_three_years_goes_and_the_log_keeps_its_hash(home, ring):
    deleted = retain(home, ring, TODAY)
    assert kinds(deleted) == [("night", "2023-05-31")]
    assert published_nights(home) == [NEW]
    assert [path.name for path in (home / "nights").iterdir() if path.is_dir()] == [latest(home)["folder"]]
    last = list(AuditLog(home, ring).entries())[-1]
    assert (last.action, last.detail["as_of"]) == ("retire", "2023-05-31")
    assert last.detail["manifest_sha256"] == deleted[0].sha256
    assert last.detail["bytes"] == deleted[0].bytes > 0
    assert "第五十六条" in last.detail["source"]


def test_verify_stays_content_after_a_deletion(home, ring):
    assert verify_home(home, ring) == []
    retain(home, ring, TODAY)
    assert verify_home(home, ring) == []


def test_a_night_deleted_by_hand_is_still_found_missing(home, ring):
    manifest_path(home, OLD).unlink()
    assert len(verify_home(home, ring)) == 1


@pytest.mark.parametrize(("days", "goes"), [(1096, False), (1097, True)])
def test_a_night_is_kept_for_its_whole_time(home, ring, days, goes):
    assert bool(retain(home, ring, OLD + timedelta(days=days))) is goes


def test_the_latest_night_is_never_deleted(home, ring):
    retain(home, ring, date(2090, 1, 1))
    assert published_nights(home) == [NEW]


def test_evidence_of_older_nights_goes_at_once_and_the_latest_after_ninety_days(home, ring):
    older = keep_evidence_of(home, f"{OLD}-1")
    newest = keep_evidence_of(home, latest(home)["folder"])
    retain(home, ring, NEW + timedelta(days=90))
    assert (older.exists(), newest.exists()) == (False, True)
    retain(home, ring, NEW + timedelta(days=91))
    assert not newest.exists()


def test_sealed_checks_go_after_ninety_days(home, ring):
    (home / "checks").mkdir()
    for day in (NEW, NEW - timedelta(days=91)):
        (home / "checks" / f"{day}-abc-v1.sealed").write_bytes(b"sealed")
    retain(home, ring, NEW)
    assert [path.name for path in (home / "checks").iterdir()] == [f"{NEW}-abc-v1.sealed"]


def test_what_a_killed_night_left_goes_after_a_day(home, ring):
    left = [home / "work" / "2026-06-29", home / "nights" / "2026-06-29-killed"]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "part.parquet").write_bytes(b"1")
        os.utime(folder, (1782700000, 1782700000))  # 2026-06-29
    fresh = home / "work" / "2026-06-30"
    fresh.mkdir()
    deleted = retain(home, ring, date(2026, 7, 2))
    assert [one.name for one in deleted if one.kind == "unfinished_work"] == [
        "2026-06-29",
        "2026-06-29-killed",
    ]
    assert fresh.exists() and not any(folder.exists() for folder in left)


def test_airflow_logs_older_than_six_months_go(home, ring, tmp_path):
    logs = tmp_path / "logs"
    for name, stamp in (
        ("dag_id=nightly_check/old.log", 1700000000),
        ("dag_id=nightly_check/new.log", 1782700000),
    ):
        (logs / name).parent.mkdir(parents=True, exist_ok=True)
        (logs / name).write_text("log")
        os.utime(logs / name, (stamp, stamp))
    deleted = retain(home, ring, TODAY, airflow_logs=logs)
    assert ("airflow_log", "dag_id=nightly_check/old.log") in kinds(deleted)
    assert [path.name for path in logs.rglob("*.log")] == ["new.log"]
    told = [
        entry.detail for entry in AuditLog(home, ring).entries() if entry.detail.get("kind") == "airflow_log"
    ]
    assert told[0]["count"] == 1 and "names" not in told[0]


def test_a_dry_run_changes_nothing(home, ring):
    keep_evidence_of(home, "2023-05-31-1")
    before = sorted(str(path) for path in home.rglob("*"))
    log = (home / "audit" / "log.jsonl").read_bytes()
    assert len(retain(home, ring, TODAY, dry_run=True)) == 2
    assert sorted(str(path) for path in home.rglob("*")) == before
    assert (home / "audit" / "log.jsonl").read_bytes() == log


def test_nothing_is_logged_when_nothing_is_past_its_time(home, ring):
    retain(home, ring, TODAY)
    log = (home / "audit" / "log.jsonl").read_bytes()
    assert retain(home, ring, TODAY) == []
    assert (home / "audit" / "log.jsonl").read_bytes() == log


def test_a_deletion_that_was_killed_is_finished_by_the_next(home, ring, monkeypatch):
    monkeypatch.setattr("pipelines.retention._delete", lambda home, one: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        retain(home, ring, TODAY)
    monkeypatch.undo()
    assert published_nights(home) == [OLD, NEW]
    retain(home, ring, TODAY)
    assert published_nights(home) == [NEW] and verify_home(home, ring) == []


def test_nothing_is_deleted_while_a_night_runs(home, ring):
    take_lease(home, "nightly_check one", os.getpid())
    with pytest.raises(HomeBusy, match="nightly_check one"):
        retain(home, ring, TODAY)
    assert published_nights(home) == [OLD, NEW]


def test_the_shipped_table_tells_a_source_for_every_kind():
    keep = read_keeping(SHIPPED, TODAY)
    assert keep["audit_log"].days is None
    assert all("法" in one.source for one in keep.values())


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('what = "night"\ndays = 30\nfrom = 2025-01-01', "source"),
        ('what = "night"\nfrom = 2025-01-01\nsource = "x"', "either days"),
        ('what = "night"\ndays = 0\nfrom = 2025-01-01\nsource = "x"', "either days"),
        ('what = "nights"\ndays = 3\nfrom = 2025-01-01\nsource = "x"', "unknown"),
        ('what = "audit_log"\ndays = 3650\nfrom = 2025-06-01\nsource = "x"', "kept forever"),
    ],
)
def test_a_table_that_says_something_else_is_refused_before_anything_is_deleted(
    home, ring, tmp_path, entry, complaint
):
    table = tmp_path / "retention.toml"
    table.write_text(f"{SHIPPED.read_text('utf-8')}\n[[keep]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(RetentionTableError, match=complaint):
        retain(home, ring, TODAY, table=table)
    assert published_nights(home) == [OLD, NEW]


def test_a_newer_entry_holds_from_its_day(home, ring, tmp_path):
    table = tmp_path / "retention.toml"
    shorter = '[[keep]]\nwhat = "night"\ndays = 30\nfrom = 2026-07-02\nsource = "x"\n'
    table.write_text(f"{SHIPPED.read_text('utf-8')}\n{shorter}", encoding="utf-8")
    assert read_keeping(table, TODAY)["night"].days == 1096
    assert read_keeping(table, date(2026, 7, 2))["night"].days == 30
