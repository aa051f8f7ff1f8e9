"""How the tests are dealt out to the processes that run them (`make test` starts two)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

# Begun with, so that no process is left alone with them at the end; the others follow by name.
LONGEST = ("dags", "flow", "household_check", "portal", "kit", "assess", "oracle")
# What the files of a group share costs more than some of them: an Airflow brought up to date, a process to fork from.
GROUPS = {
    "airflow": ("dags/test_connections", "dags/test_structure", "dags/test_through_airflow"),
    "forked": ("flow/test_canary", "flow/test_homes", "flow/test_killed"),
}
GROUP_OF = {f"tests/{file}.py": group for group, files in GROUPS.items() for file in files}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """A file's tests stay in one process, so that what they share is made once; and a group's files.

    Not by marks: pytest-xdist 3.8 writes a mark's group where pytest 9.2 no longer reads it, and says nothing.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return GROUP_OF.get(file, file)

    return ByFile(config, log)
