"""Who may write in a home: one night at a time, whether it is one process or a chain of tasks.

Two things together keep nights apart. A lock on `run.lock` is held while code runs: alone by a whole night,
shared by the tasks of one night. The file `lease.json` names the run between its tasks. A run that takes the
lease from one that is dead or silent fences it off: whatever is left of the old run finds another name there
and stops.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.durable import OWNER_ONLY, replace_file
from pipelines.errors import NightFailed

# Longer than any pause between two tasks of a run, waiting for a late feed included.
SILENCE = timedelta(hours=2)
_LEASE = "lease.json"


class HomeBusy(NightFailed):
    """Another run has the home: trying again later may help."""


class LeaseLost(NightFailed):
    """Another run took the home over since this one began."""


@contextmanager
def one_night_at_a_time(home: Path) -> Iterator[None]:
    """Hold the home alone for a whole run in one process. Raises HomeBusy when another run has it."""
    with _lock(home, fcntl.LOCK_EX):
        _refuse_living(home, None)
        (home / _LEASE).unlink(missing_ok=True)
        yield


def take_lease(home: Path, run: str, keeper: int | None = None) -> dict[str, Any]:
    """Give the home to `run` until `return_lease`. Returns the lease; the same run may take it again.

    keeper: the process that lives as long as the run does, when there is one: once it is gone, so is the run.
    Raises HomeBusy when another run has the home.
    """
    with _lock(home, fcntl.LOCK_EX):
        _refuse_living(home, run)
        return _write(home, run, keeper)


@contextmanager
def under_lease(home: Path, run: str) -> Iterator[None]:
    """One task of `run`. Raises LeaseLost when the home is no longer the run's, HomeBusy while it is held alone."""
    with _lock(home, fcntl.LOCK_SH):
        lease = _read(home)
        if lease is None or lease["run"] != run:
            raise LeaseLost(
                "this run's home was taken over by another run; nothing more is written. Start it again"
            )
        _write(home, run, lease["keeper"])
        yield
        _write(home, run, lease["keeper"])


def return_lease(home: Path, run: str) -> bool:
    """Give the home back, published or not. False when it was another's by then."""
    with _lock(home, fcntl.LOCK_SH):
        lease = _read(home)
        if lease is None or lease["run"] != run:
            return False
        (home / _LEASE).unlink(missing_ok=True)
        return True


@contextmanager
def _lock(home: Path, how: int) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "run.lock", os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except OSError:
            raise HomeBusy("another run is using this home; wait for it to end and start again") from None
        yield
    finally:
        os.close(descriptor)


def _refuse_living(home: Path, run: str | None) -> None:
    """Raises HomeBusy when the lease is another run's and that run may still be alive."""
    lease = _read(home)
    if lease is None or lease["run"] == run or _is_over(lease):
        return
    raise HomeBusy(
        f"the run {lease['run']} has this home, last heard of at {lease['renewed_at']}; wait for it to end, "
        f"or until it has been silent for {SILENCE}"
    )


def _is_over(lease: dict[str, Any]) -> bool:
    if datetime.now(UTC) - datetime.fromisoformat(lease["renewed_at"]) > SILENCE:
        return True
    return lease["keeper"] is not None and lease["host"] == _host() and not _is_alive(lease["keeper"])


def _is_alive(keeper: str) -> bool:
    process, _, begun = keeper.partition("@")
    return begun != "" and _begun(int(process)) == begun


def _begun(process: int) -> str:
    """When a living process began, in ticks since the machine did: a number that is used again is told apart."""
    try:
        state, *rest = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    # A killed process that its parent has not asked after is listed still.
    return "" if state in "ZX" else rest[18]


def _host() -> str:
    """This machine since it was started: no process outlives that."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}"


def _read(home: Path) -> dict[str, Any] | None:
    try:
        lease = json.loads((home / _LEASE).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return (
        lease if isinstance(lease, dict) and lease.keys() == {"run", "renewed_at", "host", "keeper"} else None
    )


def _write(home: Path, run: str, keeper: int | str | None) -> dict[str, Any]:
    kept = f"{keeper}@{_begun(keeper)}" if isinstance(keeper, int) else keeper
    lease = {
        "run": run,
        "renewed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": _host(),
        "keeper": kept,
    }
    replace_file(home / _LEASE, json.dumps(lease).encode())
    return lease
