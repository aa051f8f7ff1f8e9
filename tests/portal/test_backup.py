"""A backup is whole, worth nothing without the keys, and comes back into either database."""

from __future__ import annotations

import stat
import zipfile

import pytest
from sqlalchemy import func, select

from portal.backup import BackupRefused, back_up, restore
from portal.database import migrate, open_database
from portal.schema import Base, Lead
from portal.scope import open_machine_session
from tests.portal.cases import answer_all
from tests.portal.nights import number


def contents(engine):
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in Base.metadata.sorted_tables
            if table.name not in ("sessions", "attempts")
        }


def test_what_was_saved_comes_back(loaded, county, tmp_path):
    answer_all(loaded, county, "H1")
    county.done(1, "attach", files={"file": ("a.pdf", b"%PDF-1.7 " + bytes(range(256)))})
    rows = back_up(loaded.engine, tmp_path / "b.zip")
    assert rows["leads"] == 6 and rows["replies"] == 2 and rows["attachments"] == 1
    fresh = open_database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    assert restore(fresh, tmp_path / "b.zip") == rows
    assert contents(fresh) == contents(loaded.engine)
    with pytest.raises(BackupRefused, match="already holds rows"):
        restore(fresh, tmp_path / "b.zip")
    fresh.dispose()


def test_a_backup_names_nobody_and_only_the_owner_reads_it(loaded, tmp_path):
    back_up(loaded.engine, tmp_path / "b.zip")
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "H1" in everything and "张三" not in everything and number(1) not in everything
    with pytest.raises(FileExistsError):
        back_up(loaded.engine, tmp_path / "b.zip")


def test_a_changed_backup_is_refused_and_nothing_is_restored(loaded, tmp_path):
    back_up(loaded.engine, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as old, zipfile.ZipFile(tmp_path / "c.zip", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b'"H1"', b'"H7"') if name == "leads.jsonl" else content)
    fresh = open_database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    with pytest.raises(BackupRefused, match="leads"):
        restore(fresh, tmp_path / "c.zip")
    with open_machine_session(fresh) as db:
        assert db.scalars(select(func.count(Lead.id))).one() == 0
    fresh.dispose()


def test_the_migrations_make_exactly_the_mapped_tables(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    engine = open_database(f"sqlite:///{tmp_path / 'm.sqlite'}")
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()
