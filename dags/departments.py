"""Mock departments beside an embedded night: a process of their own on loopback, over HTTP, SFTP and PostgreSQL."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

# How each department delivers; those not named here are read from their folders, as any other feed.
WAYS = {
    "tax": "https",
    "securities": "https",
    "education": "https",
    "medical_expenditure": "https",
    "disability_certificates": "https",
    "detention": "pages",
    "credit_commitments": "pages",
    "market_regulation": "sftp",
    "household_registration": "sftp",
    "vehicles": "sftp",
    "fiscal_payroll": "sftp",
    "close_relatives": "sftp",
    "cremation": "sql",
    "marriage": "sql",
    "real_estate": "sql",
    "social_insurance": "sql",
    "housing_fund": "sql",
    "benefit_payments": "sql",
}
_START_SECONDS = 90


@contextlib.contextmanager
def serving(feeds: Path, tell: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Serve the feeds of `feeds` until left. Gives the variables with which a night reaches them.

    A machine on which they cannot be started is told so and gets none, so that every source is read from its folder.
    """
    from dags.connections import read_variables

    ways = {source: way for source, way in WAYS.items() if (feeds / source / "receipt.json").is_file()}
    with tempfile.TemporaryDirectory(prefix="hedui-departments-") as folder:
        file = Path(folder) / "departments.env"
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module, and folders
            [sys.executable, "-m", "connectors.departments", str(feeds), "--env", str(file)]
            + ["--http", "0", "--sftp", "0", "--postgres"]
            + [word for source, way in ways.items() for word in ("--by", f"{source}={way}")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            wanted = [f"HEDUI_FEED_{source.upper()}" for source in ways]
            variables = read_variables(file, wanted) if _has_started(process) else {}
            tell(
                _summary(ways)
                if variables
                else "departments: they cannot be served here; all feeds are read from folders"
            )
            yield variables
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _has_started(process: subprocess.Popen[bytes]) -> bool:
    """Its first line comes when the variables are written; none comes from a process that ended."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    return bool(ready) and bool(process.stdout.readline())


def _summary(ways: dict[str, str]) -> str:
    counts = {way: list(ways.values()).count(way) for way in dict.fromkeys(ways.values())}
    return "departments: on this machine, " + ", ".join(f"{count} by {way}" for way, count in counts.items())
