"""A home that cannot be written, is full, or is in use: the night fails and the last one stays served."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .forked import Parent
from .nights import World, debris, is_whole, served

NOBODY = 65534


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="hedui-homes-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def published(parent: Parent, worlds: list[World], undisturbed: dict[str, str], open_folder: Path) -> Path:
    home = open_folder / "home"
    assert parent.start(worlds[0].arguments(home), open_folder).wait() in (0, 3)
    shutil.copytree(worlds[1].folder, open_folder / "world")
    for folder in (
        open_folder / "world",
        *(path for path in (open_folder / "world").rglob("*") if path.is_dir()),
    ):
        folder.chmod(0o755)  # it came from a folder of its owner alone
    return home


def check_failed(err: str, home: Path, worlds: list[World], undisturbed: dict[str, str]) -> None:
    assert "Traceback" not in err and "internal fault" not in err
    assert err.strip().splitlines()[-1].startswith("hedui: "), err
    assert served(home, worlds[0].day) == undisturbed[worlds[0].day]
    assert served(home, worlds[1].day) is None
    assert is_whole(home)


@pytest.mark.parametrize("size", [0, 700, 5_000, 20_000])
def test_a_disk_that_fills_up(
    size: int,
    parent: Parent,
    published: Path,
    worlds: list[World],
    undisturbed: dict[str, str],
    tmp_path: Path,
) -> None:
    run = parent.start(worlds[1].arguments(published), tmp_path, file_size=size)
    # The messages themselves go to a file: on a disk that takes nothing they may be cut short.
    assert run.wait() == 1
    assert "Traceback" not in run.err.read_text()
    if size > 1000:
        assert "cannot be read or written" in run.err.read_text()
    assert served(published, worlds[0].day) == undisturbed[worlds[0].day]
    assert served(published, worlds[1].day) is None
    assert is_whole(published)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user to lose the right to write")
def test_a_home_that_cannot_be_written(
    parent: Parent,
    published: Path,
    worlds: list[World],
    undisturbed: dict[str, str],
    open_folder: Path,
    tmp_path: Path,
) -> None:
    for path in [published, *(path for path in published.rglob("*") if path.is_dir())]:
        path.chmod(0o755)
    world = World(open_folder / "world", worlds[1].as_of)
    run = parent.start(world.arguments(published), tmp_path, user=NOBODY)
    assert run.wait() == 1
    check_failed(run.err.read_text(), published, worlds, undisturbed)


def test_of_two_runs_at_once_the_second_gives_way_and_harms_nothing(
    parent: Parent, published: Path, worlds: list[World], undisturbed: dict[str, str], tmp_path: Path
) -> None:
    first = parent.start(worlds[1].arguments(published), tmp_path)
    assert first.wait_for("departments")
    second = parent.start(worlds[1].arguments(published), tmp_path)
    assert second.wait() == 1
    told = second.err.read_text()
    assert "another run is using this home" in told and "Traceback" not in told
    assert first.wait() in (0, 3), first.err.read_text()
    assert served(published, worlds[1].day) == undisturbed[worlds[1].day]
    assert is_whole(published) and debris(published) == []
