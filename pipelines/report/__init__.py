"""The auditors' quality report: one HTML file a night, from the night's manifest and those before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_report(manifest: Mapping[str, Any], history: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Write the report of a night (docs/architecture.md has the manifest's shape) to `output`, in UTF-8.

    history: manifests of earlier nights for the trend, in any order. The same manifests give the same bytes.
    """
    from pipelines.report.page import render_report

    output.write_text(render_report(manifest, history), encoding="utf-8", newline="\n")
