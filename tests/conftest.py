"""How the tests are dealt out to the processes that run them (`make test` starts two)."""

from __future__ import annotations

import pytest

# Begun with, so that no process is left alone with them at the end; the others follow by name.
LONGEST = ("dags", "flow", "portal", "household_check", "kit", "assess", "oracle")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay in one process, for what they share is made once; marked ones stay with their group's."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)
