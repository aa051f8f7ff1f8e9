"""Each fault of a department, by each way it can deliver: held with its reason, told, and gone on the next night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.departments.faults import DATA_FAULTS, LINE_FAULTS
from connectors.departments.running import Departments
from connectors.departments.serve import serve
from pipelines import night
from pipelines.identity.keyring import KeyRing
from pipelines.policy_in_force import load_policy
from pipelines.settings import Settings
from policy.codes import load_codes

from .nights import World, exported, is_whole, rows_of

WAYS = {
    "https": "tax",
    "pages": "banks",
    "batch": "market_regulation",
    "sftp": "securities",
    "sql": "insurance",
}
PATIENT = {"BACKOFF_SECONDS": "0.01", "ATTEMPTS": "2"}
# A department that is late or asks for a pause is not waited for: the tests would take as long.
HURRIED = {"slow": {"TIMEOUT_SECONDS": "0.2"}, "429": {"DEADLINE_SECONDS": "0.9"}}
SLOW_SECONDS = 0.6

Outcome = tuple[str, str | None, str]
MISSING: Outcome = ("missing", None, "")
# What becomes of the source: state, reason, and a word of the message for the operator.
OUTCOMES: dict[tuple[str, str], Outcome] = {
    **{("slow", way): ("missing", None, "the connection failed") for way in ("https", "pages", "batch", "sftp")},
    **{("torn", way): ("held", "unreadable", "2 times in a row") for way in ("https", "pages", "batch")},
    ("torn", "sftp"): ("missing", None, "2 times in a row"),
    **{("429", way): ("missing", None, "HTTP 429") for way in ("https", "pages", "batch")},
    **{("503", way): ("missing", None, "HTTP 503, 2 times in a row") for way in ("https", "pages", "batch")},
    **{("bad-signature", way): ("missing", None, "signature is wrong") for way in ("https", "pages", "batch")},
    ("unknown-host-key", "sftp"): ("missing", None, "host key that is not the pinned one"),
    **{("wrong-hash", way): ("held", "receipt_mismatch", "sha256 differs") for way in WAYS},
    **{("drift", way): ("held", "header_mismatch", "header") for way in ("https", "pages", "batch")},
    # JSON has no header: a key of another name is a required value missing in every row.
    **{("drift", way): ("held", "too_many_bad_rows", "rows are quarantined") for way in ("sftp", "sql")},
    **{("half-drop", way): ("missing", None, "no folder or no receipt") for way in WAYS},
}  # fmt: skip


@pytest.fixture(scope="module")
def feeds(worlds: list[World], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the departments deliver; `deliver` changes it."""
    folder = tmp_path_factory.mktemp("delivered") / "feeds"
    shutil.copytree(worlds[0].feeds, folder)
    return folder


@pytest.fixture(scope="module")
def departments(feeds: Path) -> Iterator[Departments]:
    with serve(feeds, http=0, sftp=0, postgres="embedded", cut_after=0, slow_seconds=SLOW_SECONDS) as running:
        yield running


@pytest.fixture(scope="module")
def stranger(feeds: Path) -> Iterator[Departments]:
    """A server that shows another host key than the agreed one."""
    with serve(feeds, sftp=0, faults=["*=unknown-host-key"]) as running:
        yield running


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set how a source is reached from here on."""

    def set_environment(departments: Departments, way: str, **options: str) -> None:
        source = WAYS[way]
        variable = f"HEDUI_FEED_{source.upper()}"
        settings = departments.environ(source, way)
        own = {"POLL_SECONDS": "0.01"} if way == "batch" else {}
        settings |= {f"{variable}__{name}": value for name, value in (PATIENT | own | options).items()}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in {"TIMEOUT_SECONDS", "DEADLINE_SECONDS"} - options.keys():
            monkeypatch.delenv(f"{variable}__{name}", raising=False)

    return set_environment


def deliver(departments: Departments, feeds: Path, world: World) -> None:
    shutil.rmtree(feeds)
    shutil.copytree(world.feeds, feeds)
    departments.heal()


# --- one source, one fault -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tonight(worlds: list[World], feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A night whose roster has been read."""
    world = worlds[0]
    home = tmp_path_factory.mktemp("matrix") / "home"
    settings = Settings(home, world.as_of, world.feeds, world.policy, 1)
    home.mkdir()
    night.clear_work(settings)
    night.run_people(settings, load_policy(settings), KeyRing.open(home, {}))
    return settings


def evidence_of(settings: Settings, source: str) -> list[pa.Table]:
    folder = settings.work / "evidence" / source
    return [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]


@pytest.fixture(scope="module")
def undamaged() -> dict[str, list[pa.Table]]:
    """What each way gave before anything was wrong with it."""
    return {}


@pytest.fixture
def right(
    undamaged: dict[str, list[pa.Table]], tonight: Settings, departments: Departments, reach: Any, way: str
) -> list[pa.Table]:
    if way not in undamaged:
        reach(departments, way)
        result = night.run_source(tonight, WAYS[way])
        assert result["state"] == "accepted", result["message"]
        undamaged[way] = evidence_of(tonight, WAYS[way])
    return undamaged[way]


def test_every_fault_has_its_outcome_by_every_way_it_applies_to() -> None:
    assert {fault for fault, _ in OUTCOMES} == {*DATA_FAULTS, *LINE_FAULTS}


@pytest.mark.parametrize(("fault", "way"), OUTCOMES, ids=[" by ".join(pair) for pair in OUTCOMES])
def test_a_fault_ends_in_a_source_of_which_nothing_is_used_and_healed_it_is_as_before(
    tonight: Settings,
    departments: Departments,
    stranger: Departments,
    reach: Any,
    right: list[pa.Table],
    fault: str,
    way: str,
) -> None:
    source = WAYS[way]
    state, reason, word = OUTCOMES[fault, way]
    asked = stranger if fault == "unknown-host-key" else departments
    reach(asked, way, **HURRIED.get(fault, {}))
    asked.plan(source, fault)
    try:
        result = night.run_source(tonight, source)
    finally:
        departments.heal()
    assert (result["state"], result["reason"]) == (state, reason), result["message"]
    assert word in result["message"]
    counts = ("received", "accepted", "quarantined", "unauthorised", "kept")
    assert [result[count] for count in counts] == [0] * len(counts)
    assert evidence_of(tonight, source) == []

    reach(departments, way)
    assert night.run_source(tonight, source)["state"] == "accepted"
    assert evidence_of(tonight, source) == right


# --- whole nights --------------------------------------------------------------------------------------------------

MIXES = [
    {"https": "torn", "pages": "503", "batch": "429", "sftp": "half-drop", "sql": "wrong-hash"},
    {"https": "drift", "pages": "bad-signature", "batch": "torn", "sftp": "slow", "sql": "half-drop"},
]


def by_every_way(departments: Departments, reach: Any, faults: dict[str, str]) -> None:
    for way in WAYS:
        reach(departments, way, **HURRIED.get(faults.get(way, ""), {}))
    for way, fault in faults.items():
        departments.plan(WAYS[way], fault)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("twin") / "home"


@pytest.fixture
def never_faulty(
    worlds: list[World], twin: Path, departments: Departments, feeds: Path, reach: Any
) -> dict[str, Any]:
    """The manifest of the second night in a home where every delivery was right."""
    if not twin.exists():
        for world in worlds[:2]:
            deliver(departments, feeds, world)
            by_every_way(departments, reach, {})
            manifest = World(world.folder, world.as_of).run(twin)
            assert manifest["status"]["complete"]
    from pipelines.manifest import read_manifest

    return dict(read_manifest(twin, worlds[1].as_of))


def what_depends_on_that_night(home: Path, day: str, folder: Path) -> dict[str, list[dict[str, str]]]:
    """Tonight's leads and dead letters, without what follows from the night before: number, state, leads not found."""
    lists = {name: rows_of(content) for name, content in exported(home, day, folder).items()}
    return {
        name: [
            {column: text for column, text in row.items() if column not in ("线索编号", "状态")}
            for row in rows
            if row.get("状态") not in ("已消除", "待复核")
        ]
        for name, rows in lists.items()
    }


@pytest.mark.parametrize("mix", MIXES, ids=["-".join(mix.values()) for mix in MIXES])
def test_a_night_of_faults_is_told_in_chinese_and_the_next_one_is_clean(
    worlds: list[World],
    departments: Departments,
    feeds: Path,
    reach: Any,
    twin: Path,
    never_faulty: dict[str, Any],
    mix: dict[str, str],
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    deliver(departments, feeds, worlds[0])
    by_every_way(departments, reach, mix)
    faulty = worlds[0].run(home)
    report = (home / "nights" / faulty["folder"] / "report.html").read_text("utf-8")
    codes = load_codes()
    for way, fault in mix.items():
        source = WAYS[way]
        state, reason, word = OUTCOMES[fault, way]
        told = faulty["status"]["sources"][source]
        assert (told["state"], told["reason"]) == (state, reason)
        assert word in faulty["details"]["held"][source]
        assert f"{codes.sources.name(source)}数据未采用" in report
        assert codes.source_states.name(state) in report
        assert reason is None or codes.held_reasons.name(reason) in report
    assert not faulty["status"]["complete"]

    deliver(departments, feeds, worlds[1])
    by_every_way(departments, reach, {})
    clean = worlds[1].run(home)
    assert clean["status"]["complete"]
    assert clean["status"]["sources"] == never_faulty["status"]["sources"]
    assert clean["inputs"] == never_faulty["inputs"]
    day = worlds[1].day
    assert what_depends_on_that_night(home, day, tmp_path / "a") == what_depends_on_that_night(
        twin, day, tmp_path / "b"
    )
    assert is_whole(home)
