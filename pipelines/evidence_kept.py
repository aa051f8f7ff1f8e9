"""What is kept of the latest published night, so that one household can be checked again in a moment.

    evidence/<folder of the night>/
        kept.json                       which night, under which key, and the sha256 of every file
        people/*.parquet names.sealed   who was asked about
        link/counts.json inexact.parquet   how the rows reach them
        registers/*.parquet             rows that share a register with them
        sources.json                    what became of each source
        intake/<source>/                its evidence as it was read, for the next night (read.json says under what)

De-identified and sealed like the published lists, and not part of the night: it may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.registry import all_contracts
from pipelines.durable import replace_file, sha256_of
from pipelines.errors import HeduiError
from pipelines.intake.evidence_tables import open_evidence_rows
from pipelines.manifest import Manifest, latest
from pipelines.settings import Settings

_KEPT = "kept.json"


class EvidenceNotKept(HeduiError):
    """The latest published night has no evidence beside it, or not the one it was published with."""


@dataclass(frozen=True)
class KeptEvidence:
    """folder: as above; night: the manifest it belongs to; sources: every source's result of that night; linked:
    the sources whose contracts the night knew."""

    folder: Path
    night: Manifest
    sources: dict[str, dict[str, Any]]
    linked: frozenset[str]

    def evidence(self, source: str) -> pa.Table:
        """The rows kept of a source; none when the night used none of it."""
        return open_evidence_rows(self.folder / "intake" / source, all_contracts()[source].files[0])


def evidence_folder(home: Path) -> Path:
    return home / "evidence"


def keep_evidence(settings: Settings, manifest: Manifest, sources: dict[str, dict[str, Any]]) -> Path | None:
    """Move what a household check needs out of the night's work folder; evidence of other nights is deleted.

    Returns the folder, or None when a later night is published already: its evidence stays.
    """
    newest = latest(settings.home)
    if newest is None or newest["folder"] != manifest["folder"]:
        return None
    target = evidence_folder(settings.home) / manifest["folder"]
    building = target.with_name(f"{target.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    os.replace(settings.work / "people", building / "people")
    os.replace(settings.work / "link", building / "link")
    (building / "registers").mkdir()
    for part in (settings.work / "evidence" / "household_registration").glob("register-*.parquet"):
        os.link(part, building / "registers" / part.name)
    (building / "sources.json").write_text(json.dumps(sources, ensure_ascii=False), encoding="utf-8")
    kept: dict[str, Any] = {
        "as_of": manifest["as_of"],
        "folder": manifest["folder"],
        "seal": manifest["seal"],
        "key_version": manifest["key_version"],
        "files": {str(path.relative_to(building)): sha256_of(path) for path in sorted(building.rglob("*.*"))},
    }
    _keep_readings(settings.work / "evidence", building / "intake")
    kept["files"].update(_digests_of_readings(building))
    replace_file(building / _KEPT, json.dumps(kept, ensure_ascii=False, indent=1).encode())
    os.replace(building, target)
    for folder in outdated_evidence(settings.home):
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _keep_readings(evidence: Path, target: Path) -> None:
    """Keep what was read of each source, so that the next night need not read the same delivery again."""
    target.mkdir()
    for folder in evidence.iterdir():
        if (folder / "read.json").is_file():
            os.replace(folder, target / folder.name)


def _digests_of_readings(building: Path) -> dict[str, str]:
    """The hashes of the evidence, as they were noted where it was written."""
    found: dict[str, str] = {}
    for read in sorted((building / "intake").glob("*/read.json")):
        parts: dict[str, str] = json.loads(read.read_bytes())["parts"]
        folder = read.parent.relative_to(building)
        found.update(
            {f"{folder}/{name}": digest for name, digest in parts.items() if name.endswith(".arrow")}
        )
    return found


def intake_kept(home: Path, source: str) -> Path | None:
    """Where the evidence of a source lies as it was read for the latest published night."""
    newest = latest(home)
    folder = evidence_folder(home) / newest["folder"] / "intake" / source if newest else None
    return folder if folder and folder.is_dir() else None


def people_kept(home: Path) -> Path | None:
    """Who was asked about on the latest published night (person and person_name), if as it was kept."""
    newest = latest(home)
    if newest is None:
        return None
    folder = evidence_folder(home) / newest["folder"]
    try:
        digests = json.loads((folder / _KEPT).read_bytes())["files"]
        names = [f"people/{table}.parquet" for table in ("person", "person_name")]
        is_whole = all(sha256_of(folder / name) == digests.get(name) for name in names)
    except (OSError, ValueError, KeyError):
        return None
    return folder / "people" if is_whole else None


def outdated_evidence(home: Path) -> list[Path]:
    """Folders of evidence that belong to no night, or to one that is not the latest."""
    newest = latest(home)
    keep = newest["folder"] if newest else ""
    root = evidence_folder(home)
    return sorted(folder for folder in root.iterdir() if folder.name != keep) if root.is_dir() else []


def open_evidence(home: Path) -> KeptEvidence:
    """The evidence of the latest published night, every file checked. Raises EvidenceNotKept."""
    night = latest(home)
    if night is None:
        raise EvidenceNotKept(f"no night is published in {home}; run: hedui nightly --as-of DATE")
    folder = evidence_folder(home) / night["folder"]
    again = f"run the night of {night['as_of']} again, or wait for the next one"
    try:
        kept = json.loads((folder / _KEPT).read_bytes())
    except (OSError, ValueError):
        raise EvidenceNotKept(
            f"the evidence of the night of {night['as_of']} is not kept any more; {again}"
        ) from None
    for name, digest in kept["files"].items():
        path = folder / name
        if not path.is_file() or sha256_of(path) != digest:
            raise EvidenceNotKept(f"evidence/{folder.name}/{name} is not the file that was kept; {again}")
    sources: dict[str, dict[str, Any]] = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
    linked = frozenset(json.loads((folder / "link" / "counts.json").read_text(encoding="utf-8")))
    return KeptEvidence(folder, night, sources, linked)
