"""Where and with what a figure was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.tree import ROOT

PACKAGES = (
    "duckdb", "pyarrow", "numpy", "pandas", "polars", "splink", "pyspark", "sqlglot", "orjson", "python-calamine",
    "cryptography",
)  # fmt: skip


def machine() -> dict[str, object]:
    """Processor, cores, memory, versions, commit, load: what a reader needs to judge a figure."""
    model = [
        line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    memory = next(
        (int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**20, 1),
        "load_before": [round(value, 1) for value in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The measured commit; HEDUI_BENCH_COMMIT tells it for a tree that is no repository."""
    if given := os.environ.get("HEDUI_BENCH_COMMIT"):
        return given
    told = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return told.stdout.strip() or None


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
