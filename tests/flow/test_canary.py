"""One person planted in every feed stands nowhere in plain text: not at rest, not in a log, not after a kill."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from tests.oracle.builder import Builder
from tests.oracle.people import Someone, wrong_check
from tests.oracle.world import as_of, build
from tests.oracle.writing import write_feeds

from .forked import Parent
from .naughty import NAMES
from .nights import SEED, World, exported, rows_of

CANARY = Someone("999913197706054283", "欧阳鹮鸢")
RELATIVE = Someone("999913201405064412", "欧阳鹬鹇")
ACCOUNT, HOLDING, POLICY, REGISTER = "62229871234567890123", "E9871234567", "P98712345670", "GD98712345678"
CROWD = 4000


def right_check(who: Someone) -> Someone:
    from tests.oracle.identity import check_character

    return Someone(who.number[:17] + check_character(who.number[:17]), who.name)


def plant(b: Builder) -> None:
    """A member of the roster with leads of every kind, a monitored person, and a typing error."""
    who, relative = right_check(CANARY), right_check(RELATIVE)
    family = b.household("低保", "440103", "城镇", [who])
    b.tax(who, 99_999)
    b.interest(who, "法定代表人", capital=500)
    b.interest(who, "经营者", kind="个体工商户")
    b.bank(who, 999_999, account=ACCOUNT)
    b.bank(who, 5, account=ACCOUNT, name="另外一人")
    b.bank(who, 5, account=ACCOUNT, number=wrong_check(who.number, b.rng))
    b.security(who, 888_888, account=HOLDING)
    b.policy(who, 777_777, 66_666, policy_no=POLICY)
    b.registered(who, REGISTER)
    b.registered(relative, REGISTER, relation="30")
    b.monitored("440103", "农村", [relative], annual=100)
    b.member(
        family, right_check(Someone("99991319880101229", "欧阳鹮鸢")), number="99991319880101229?"
    )  # quarantined


def crowd(b: Builder) -> None:
    """Enough households that the tables do not fit the memory they are given."""
    rng = random.Random(8)
    for _ in range(CROWD):
        who = b.people.new()
        b.household("低保", "440105", "农村", [who])
        b.bank(who, rng.randint(0, 90_000))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("planted")
    b = build(SEED)
    b.people.given = _NothingNear()  # checking four thousand persons against each other takes minutes
    plant(b)
    crowd(b)
    (folder / "policy.toml").write_text(b.law.toml(), "utf-8")
    write_feeds(b, folder / "feeds", as_of(SEED), {}, random.Random(2), ["2025-06", "2026-06"])
    return World(folder, as_of(SEED))


class _NothingNear(set):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[str]:
        return iter(())


def secrets() -> list[bytes]:
    words = [POLICY, ACCOUNT, HOLDING, REGISTER]
    for who in (right_check(CANARY), right_check(RELATIVE)):
        words += [who.number, who.number[:17], who.number[6:17], who.name]
    return [
        encoded for word in words for encoded in {word.encode(e) for e in ("utf-8", "gb18030", "utf-16-le")}
    ]


def readable_bytes(path: Path) -> bytes:
    """A file's bytes; of a table also what stands in its columns, which is compressed at rest."""
    content = path.read_bytes()
    if path.suffix == ".parquet" and content[-4:] == b"PAR1":
        table = pq.read_table(pa.BufferReader(content))
        sink = pa.BufferOutputStream()
        with ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        content += sink.getvalue().to_pybytes()
    return content


def leaks(*folders: Path) -> list[str]:
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                content = readable_bytes(path)
                found += [f"{path.relative_to(folder)}: {word!r}" for word in secrets() if word in content]
    return found


def test_the_scan_sees_what_it_looks_for(planted: World, tmp_path: Path) -> None:
    assert {line.partition("/")[0] for line in leaks(planted.feeds)} >= {
        "roster",
        "tax",
        "banks",
        "securities",
        "insurance",
    }
    pq.write_table(pa.table({"x": [f"..{ACCOUNT}.."] * 50}), tmp_path / "x.parquet", compression="zstd")
    assert leaks(tmp_path)


def test_nothing_of_a_person_is_plain_at_rest_in_logs_or_after_a_kill(
    parent: Parent, planted: World, tmp_path: Path
) -> None:
    home, logs, temporary = tmp_path / "home", tmp_path / "logs", tmp_path / "tmp"
    temporary.mkdir()
    env = {"HEDUI_MEMORY": "24MB", "TMPDIR": str(temporary)}
    for stage in ("intake: banks", "link:", "assess:", "publish"):
        run = parent.start(planted.arguments(home), logs, env=env)
        assert run.wait_for(stage), run.err.read_text()
        run.kill()
        assert leaks(home, logs, temporary) == [], stage
    run = parent.start(planted.arguments(home), logs, env={**env, "HEDUI_MEMORY": "1GB"})
    assert run.wait() in (0, 3), run.err.read_text()
    assert leaks(home, logs, temporary) == []

    files = exported(home, planted.day, tmp_path / "exports")
    named = [row for row in rows_of(files["discrepancies"]) if row["姓名"] == CANARY.name]
    assert {row["规则代码"] for row in named} >= {"X05", "B01", "B02", "X02", "X03", "A02"}
    assert RELATIVE.name not in files["discrepancies"].decode("utf-8-sig")
    assert leaks(home) == [], "an export left something behind"


def test_names_that_are_formulas_or_worse_reach_an_officer_as_text(planted: World, tmp_path: Path) -> None:
    from pipelines.cli import main

    b = build(SEED)
    for name in NAMES:
        who = Someone(b.people.new().number, name)
        b.household("低保", "440103", "城镇", [who], name=name)
        b.interest(who, "经营者", kind="个体工商户", name=name)
    (tmp_path / "policy.toml").write_text(b.law.toml(), "utf-8")
    write_feeds(b, tmp_path / "feeds", as_of(SEED), {}, random.Random(2), ["2025-06", "2026-06"])
    world = World(tmp_path, as_of(SEED))
    home = tmp_path / "home"
    world.run(home)
    rows = rows_of(exported(home, world.day, tmp_path / "out")["discrepancies"])
    shown = {row["姓名"].strip() for row in rows if row["规则代码"] == "B02"}
    assert {name.strip() for name in NAMES} - shown == set()
    sheet = tmp_path / "d.xlsx"
    arguments = [
        "export",
        "discrepancies",
        "--as-of",
        world.day,
        "--format",
        "xlsx",
        "--output",
        str(sheet),
        "--home",
        str(home),
    ]
    assert main([*arguments, "--actor", "甲", "--reason", "乙"]) == 0
    cells = [cell for page in openpyxl.load_workbook(sheet) for line in page.iter_rows() for cell in line]
    assert all(cell.data_type != "f" for cell in cells)
