"""What is kept of the latest published night, so that one household can be checked again in a moment.

    evidence/<folder of the night>/
        kept.json                       which night, under which key, and a keyed mark of every file
        people/*.parquet names.sealed   who was asked about
        link/counts.json                what linking counted
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

import numpy as np
import pyarrow as pa

from connectors.registry import all_contracts
from pipelines.durable import replace_file
from pipelines.errors import HeduiError
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.keyring import KeyRing
from pipelines.intake.evidence_tables import batches_of, evidence_schema, open_evidence_rows
from pipelines.manifest import Manifest, latest
from pipelines.marks import is_marked, mark_file
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
        """The rows kept of a source; none when the night used none of it. Raises EvidenceNotKept."""
        try:
            return open_evidence_rows(self.folder / "intake" / source, all_contracts()[source].files[0])
        except pa.ArrowInvalid:
            raise self._has_other_columns(source) from None

    def evidence_about(self, source: str, persons: list[int]) -> pa.Table:
        """As `evidence`, of some persons alone: of the others only their numbers are looked at."""
        schema = evidence_schema(all_contracts()[source].files[0])
        found = []
        for part in sorted((self.folder / "intake" / source).glob("part-*.arrow")):
            for batch in batches_of(part):
                if not batch.schema.equals(schema):
                    raise self._has_other_columns(source)
                column = batch.column("person").to_numpy()
                is_about = np.zeros(len(column), dtype=bool)
                for person in persons:  # a handful: comparing with each is faster than looking it up
                    is_about |= column == person
                if is_about.any():
                    found.append(batch.take(pa.array(np.flatnonzero(is_about))))
        return pa.Table.from_batches(found, schema)

    def _has_other_columns(self, source: str) -> EvidenceNotKept:
        return EvidenceNotKept(
            f"the contract of {source} has other columns than on the night of {self.night['as_of']}; "
            "run that night again, or wait for the next one"
        )


def evidence_folder(home: Path) -> Path:
    return home / "evidence"


def keep_evidence(
    settings: Settings, manifest: Manifest, sources: dict[str, dict[str, Any]], cipher: Tokeniser
) -> Path | None:
    """Move what a household check needs out of the night's work folder; evidence of other nights is deleted.

    cipher: of the night's key version. Returns the folder, or None when a later night is published already: its
    evidence stays.
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
    (building / "sources.json").write_text(json.dumps(sources, ensure_ascii=False), encoding="utf-8")
    _keep_readings(settings.work / "evidence", building / "intake")
    marks = {
        name: mark_file(building / name, f"{target.name}/{name}", cipher) for name in _names_in(building)
    }
    kept = {
        "as_of": manifest["as_of"],
        "folder": manifest["folder"],
        "seal": manifest["seal"],
        "key_version": manifest["key_version"],
        "files": marks,
        "mark": _mark_of(marks, cipher),
    }
    replace_file(building / _KEPT, json.dumps(kept, ensure_ascii=False, indent=1).encode())
    os.replace(building, target)
    for folder in outdated_evidence(settings.home):
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _names_in(folder: Path, under: str = "") -> list[str]:
    """Every file in the folder or a part of it, by its name from the folder on, but for kept.json itself."""
    files = (path for path in (folder / under).rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(name for path in files if (name := path.relative_to(folder).as_posix()) != _KEPT)


def _mark_of(marks: dict[str, str], cipher: Tokeniser) -> str:
    """Of all marks together, so that none can be left out."""
    return cipher.mac(json.dumps(marks, sort_keys=True).encode(), "kept").hex()


def _read_marks(folder: Path, cipher: Tokeniser) -> dict[str, str] | None:
    """The marks in kept.json; None when it is not there or was not written with this key."""
    try:
        kept = json.loads((folder / _KEPT).read_bytes())
        marks: dict[str, str] = kept["files"]
        return marks if kept["mark"] == _mark_of(marks, cipher) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _first_changed(folder: Path, marks: dict[str, str], under: str, cipher: Tokeniser) -> str | None:
    """A file of a part of the folder that is not as it was kept: changed, gone, or come in between."""
    marked = {name for name in marks if name.startswith(under)}
    for name in sorted(marked.union(_names_in(folder, under))):
        if not is_marked(folder / name, f"{folder.name}/{name}", marks.get(name), cipher):
            return name
    return None


def _keep_readings(evidence: Path, target: Path) -> None:
    """Keep what was read of each source, so that the next night need not read the same delivery again."""
    target.mkdir()
    for folder in evidence.iterdir():
        if (folder / "read.json").is_file():
            os.replace(folder, target / folder.name)


def intake_kept(home: Path, source: str, cipher: Tokeniser) -> Path | None:
    """The evidence of a source as it was read for the latest published night, if every file is as it was kept."""
    folder = _kept_whole(home, f"intake/{source}/", cipher)
    return folder if folder and folder.is_dir() else None


def people_kept(home: Path, cipher: Tokeniser) -> Path | None:
    """Who was asked about on the latest published night, if every file is as it was kept."""
    return _kept_whole(home, "people/", cipher)


def _kept_whole(home: Path, part: str, cipher: Tokeniser) -> Path | None:
    newest = latest(home)
    if newest is None:
        return None
    folder = evidence_folder(home) / newest["folder"]
    marks = _read_marks(folder, cipher)
    return folder / part if marks and _first_changed(folder, marks, part, cipher) is None else None


def outdated_evidence(home: Path) -> list[Path]:
    """Folders of evidence that belong to no night, or to one that is not the latest."""
    newest = latest(home)
    keep = newest["folder"] if newest else ""
    root = evidence_folder(home)
    return sorted(folder for folder in root.iterdir() if folder.name != keep) if root.is_dir() else []


def open_evidence(home: Path, ring: KeyRing) -> KeptEvidence:
    """The evidence of the latest published night, every file checked. Raises EvidenceNotKept."""
    night = latest(home)
    if night is None:
        raise EvidenceNotKept(f"no night is published in {home}; run: hedui nightly --as-of DATE")
    folder = evidence_folder(home) / night["folder"]
    again = f"run the night of {night['as_of']} again, or wait for the next one"
    cipher = ring.cipher(night["key_version"])
    marks = _read_marks(folder, cipher)
    if marks is None:
        raise EvidenceNotKept(
            f"the evidence of the night of {night['as_of']} is not kept any more, or not as it was; {again}"
        )
    changed = _first_changed(folder, marks, "", cipher)
    if changed:
        raise EvidenceNotKept(f"evidence/{folder.name}/{changed} is not the file that was kept; {again}")
    sources: dict[str, dict[str, Any]] = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
    linked = frozenset(json.loads((folder / "link" / "counts.json").read_text(encoding="utf-8")))
    return KeptEvidence(folder, night, sources, linked)
