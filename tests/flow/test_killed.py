"""A night killed at any instant: what was published stays served and whole, and the next run ends as if nothing had been."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from .forked import Parent
from .long_runs import IS_LONG
from .nights import World, debris, is_whole, served

STAGES = (
    "intake: roster", "intake: departments", "intake: banks", "intake: tax", "intake: market_regulation", "link:", "assess:", "publish",
    "done",
)  # fmt: skip
Home = tuple[Path, dict[str, str | None]]


@pytest.fixture(scope="module")
def home(
    parent: Parent, worlds: list[World], undisturbed: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The first night is published here; the second is killed again and again."""
    folder = tmp_path_factory.mktemp("killed")
    run = parent.start(worlds[0].arguments(folder / "home"), folder)
    assert run.wait() in (0, 3)
    assert served(folder / "home", worlds[0].day) == undisturbed[worlds[0].day]
    return folder


def check_served(home: Path, worlds: list[World], undisturbed: dict[str, str]) -> None:
    assert served(home, worlds[0].day) == undisturbed[worlds[0].day]
    assert served(home, worlds[1].day) in (None, undisturbed[worlds[1].day])
    assert is_whole(home)


def complete(parent: Parent, home: Path, worlds: list[World], undisturbed: dict[str, str]) -> float:
    """The undisturbed end; returns how long the run took."""
    started = time.monotonic()
    run = parent.start(worlds[1].arguments(home / "home"), home)
    assert run.wait() in (0, 3), run.err.read_text()
    took = time.monotonic() - started
    assert served(home / "home", worlds[1].day) == undisturbed[worlds[1].day]
    check_served(home / "home", worlds, undisturbed)
    assert debris(home / "home") == []
    return took


def test_killed_at_every_stage(
    parent: Parent, home: Path, worlds: list[World], undisturbed: dict[str, str]
) -> None:
    for at, stage in enumerate(STAGES):
        run = parent.start(worlds[1].arguments(home / "home"), home)
        assert run.wait_for(stage), run.err.read_text()
        run.kill()
        check_served(home / "home", worlds, undisturbed)
        if IS_LONG or at % 3 == 2:
            complete(parent, home, worlds, undisturbed)


def test_killed_at_random_instants(
    parent: Parent, home: Path, worlds: list[World], undisturbed: dict[str, str]
) -> None:
    rng = random.Random(9)
    took = complete(parent, home, worlds, undisturbed)
    for at in range(30 if IS_LONG else 8):
        run = parent.start(worlds[1].arguments(home / "home"), home)
        # the last tenth, where the night is published, as often as all the rest
        time.sleep(took * (rng.random() if at % 2 else rng.uniform(0.8, 1)))
        run.kill()
        check_served(home / "home", worlds, undisturbed)
        if IS_LONG or at % 4 == 3:
            took = complete(parent, home, worlds, undisturbed)


def test_a_first_night_that_is_killed_leaves_nothing_served(
    parent: Parent, worlds: list[World], tmp_path: Path
) -> None:
    run = parent.start(worlds[0].arguments(tmp_path / "home"), tmp_path)
    assert run.wait_for("assess:")
    run.kill()
    assert served(tmp_path / "home", worlds[0].day) is None
    assert is_whole(tmp_path / "home")
    status = parent.start(
        ["status", "--as-of", worlds[0].day, "--json", "--home", str(tmp_path / "home")], tmp_path
    )
    assert status.wait() == 1 and "Traceback" not in status.err.read_text()


def test_another_night_after_a_killed_one_clears_what_it_left(
    parent: Parent, home: Path, worlds: list[World], tmp_path: Path
) -> None:
    run = parent.start(worlds[0].arguments(tmp_path / "home"), tmp_path)
    assert run.wait_for("assess:")
    run.kill()
    assert parent.start(worlds[1].arguments(tmp_path / "home"), tmp_path).wait() in (0, 3)
    assert debris(tmp_path / "home") == []
