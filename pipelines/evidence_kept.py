"""What is kept of the latest published night, so that one household can be checked again in a moment.

    evidence/<folder of the night>/
        kept.json                       which night, under which key, and keyed marks of every file
        people/                         who was asked about, and under what it was read
        link/counts.json                what linking counted
        sources.json                    what became of each source
        intake/<source>/                its evidence as it was read, for the next night (read.json says under what)

De-identified and sealed like the published lists, and not part of the night: it may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.registry import all_contracts
from pipelines.durable import replace_file
from pipelines.errors import HeduiError
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.keyring import KeyRing
from pipelines.intake.evidence_tables import PERSON_SCHEMA, REGISTER_SCHEMA, evidence_schema
from pipelines.manifest import Manifest, latest
from pipelines.marks import MarkedFile, Marker, NotAsMarked
from pipelines.rows_where import batches_where, rows_where
from pipelines.settings import Settings

_KEPT = "kept.json"


class EvidenceNotKept(HeduiError):
    """The latest published night has no evidence beside it, or not the one it was published with."""


@dataclass(frozen=True)
class FolderMarks:
    """of: the marks of every file by its name from the folder on, in the order of the names; marker: made them."""

    of: dict[str, bytes]
    marker: Marker


@dataclass(frozen=True)
class KeptEvidence:
    """folder: as above; night: the manifest it belongs to; sources: every source's result of that night; linked:
    the sources whose contracts the night knew.

    Of the files only as much is read as is asked for, and all that is read is as it was kept: every method raises
    EvidenceNotKept for bytes that are not.
    """

    folder: Path
    night: Manifest
    sources: dict[str, dict[str, Any]]
    linked: frozenset[str]
    marks: FolderMarks

    @contextmanager
    def open(self, name: str) -> Iterator[pa.NativeFile]:
        """A file by its name from the folder on."""
        with _open_kept(self.folder, self.marks, name, self.night) as file:
            yield pa.PythonFile(file, mode="r")

    def rows_where(self, table: str, column: str, values: NDArray[Any]) -> pa.Table:
        """The rows of a Parquet file whose column has one of a few values; of the others nothing but that is read."""
        with self.open(table) as file:
            return rows_where(pq.ParquetFile(file), column, values)

    def evidence_where(self, source: str, column: str, values: NDArray[Any]) -> pa.Table:
        """The rows kept of a source whose column has one of a few values, likewise."""
        schema = evidence_schema(all_contracts()[source].files[0])
        found = [schema.empty_table()]
        for part in self.names(f"intake/{source}/part-") if len(values) else ():
            with self.open(part) as file:
                try:
                    found.append(batches_where(file, schema, column, values))
                except pa.ArrowInvalid:
                    raise self._has_other_columns(source) from None
        return pa.concat_tables(found)

    def persons_where(self, column: str, values: NDArray[Any]) -> pa.Table:
        """Those asked about of whom the column has one of a few values, likewise."""
        with self.open("people/person.arrow") as file:
            return batches_where(file, PERSON_SCHEMA, column, values)

    def registers(self, registers: NDArray[np.int64]) -> pa.Table:
        """What stands in some registers of household registration."""
        parts = self.names("intake/household_registration/register-")
        return pa.concat_tables(
            [REGISTER_SCHEMA.empty_table(), *(self.rows_where(part, "register", registers) for part in parts)]
        )

    def names(self, begin: str) -> list[str]:
        return [name for name in self.marks.of if name.startswith(begin)]

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
    mark_folder(building, manifest, cipher)
    os.replace(building, target)
    for folder in outdated_evidence(settings.home):
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _names_in(folder: Path, under: str = "") -> list[str]:
    """Every file in the folder or a part of it, by its name from the folder on, but for kept.json itself."""
    files = (path for path in (folder / under).rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(name for path in files if (name := path.relative_to(folder).as_posix()) != _KEPT)


def mark_folder(folder: Path, manifest: Manifest, cipher: Tokeniser) -> None:
    """Write kept.json for the files as they are. manifest: of the night they are kept of."""
    keeping = secrets.token_hex(16)
    marker = Marker(cipher, f"{manifest['folder']}:{keeping}")
    marks = {name: marker.mark(folder / name, name).hex() for name in _names_in(folder)}
    kept = {
        "as_of": manifest["as_of"],
        "folder": manifest["folder"],
        "seal": manifest["seal"],
        "key_version": manifest["key_version"],
        "keeping": keeping,
        "files": marks,
        "mark": _mark_of(manifest["folder"], keeping, marks, cipher),
    }
    replace_file(folder / _KEPT, json.dumps(kept, ensure_ascii=False, indent=1).encode())


def _mark_of(folder: str, keeping: str, marks: dict[str, str], cipher: Tokeniser) -> str:
    """Of all marks together, so that none can be left out."""
    return cipher.mac(json.dumps([folder, keeping, marks], sort_keys=True).encode(), "kept").hex()


def _read_marks(folder: Path, cipher: Tokeniser) -> FolderMarks | None:
    """The marks in kept.json; None when it is not there or was not written with this key for this folder."""
    try:
        kept = json.loads((folder / _KEPT).read_bytes())
        keeping, marks = kept["keeping"], kept["files"]
        if not compare_digest(kept["mark"], _mark_of(folder.name, keeping, marks, cipher)):
            return None
        of = {name: bytes.fromhex(mark) for name, mark in marks.items()}
        return FolderMarks(of, Marker(cipher, f"{folder.name}:{keeping}"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _first_changed(folder: Path, marks: FolderMarks, under: str) -> str | None:
    """A file of a part of the folder that is not as it was kept: changed, gone, or come in between."""
    return _first_moved(folder, marks, under) or next(
        (
            name
            for name, mark in marks.of.items()
            if name.startswith(under) and not marks.marker.is_marked(folder / name, name, mark)
        ),
        None,
    )


def _first_moved(folder: Path, marks: FolderMarks, under: str) -> str | None:
    """A file of a part of the folder that is gone, or come in between."""
    kept = {name for name in marks.of if name.startswith(under)}
    return min(kept.symmetric_difference(_names_in(folder, under)), default=None)


@contextmanager
def _open_kept(folder: Path, marks: FolderMarks, name: str, night: Manifest) -> Iterator[MarkedFile]:
    try:
        if name not in marks.of:
            raise NotAsMarked(name)
        with marks.marker.open(folder / name, name, marks.of[name]) as file:
            yield file
    except NotAsMarked:
        raise _not_kept(folder, name, night) from None


def _not_kept(folder: Path, name: str, night: Manifest) -> EvidenceNotKept:
    return EvidenceNotKept(
        f"evidence/{folder.name}/{name} is not the file that was kept; {_run_again(night)}"
    )


def _run_again(night: Manifest) -> str:
    return f"run the night of {night['as_of']} again, or wait for the next one"


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


def people_reading_kept(home: Path, source: str, cipher: Tokeniser) -> Path | None:
    """What reading one of `people_sources` came to for the latest published night, if it is as it was kept."""
    return _kept_whole(home, f"people/{source}/", cipher)


def people_kept(home: Path, cipher: Tokeniser) -> Path | None:
    """Who was asked about on the latest published night, if every file is as it was kept."""
    return _kept_whole(home, "people/", cipher)


def _kept_whole(home: Path, part: str, cipher: Tokeniser) -> Path | None:
    newest = latest(home)
    if newest is None:
        return None
    folder = evidence_folder(home) / newest["folder"]
    marks = _read_marks(folder, cipher)
    return folder / part if marks and _first_changed(folder, marks, part) is None else None


def outdated_evidence(home: Path) -> list[Path]:
    """Folders of evidence that belong to no night, or to one that is not the latest."""
    newest = latest(home)
    keep = newest["folder"] if newest else ""
    root = evidence_folder(home)
    return sorted(folder for folder in root.iterdir() if folder.name != keep) if root.is_dir() else []


def open_evidence(home: Path, ring: KeyRing) -> KeptEvidence:
    """The evidence of the latest published night, no file of it gone or come in between. Raises EvidenceNotKept."""
    night = latest(home)
    if night is None:
        raise EvidenceNotKept(f"no night is published in {home}; run: hedui nightly --as-of DATE")
    folder = evidence_folder(home) / night["folder"]
    marks = _read_marks(folder, ring.cipher(night["key_version"]))
    if marks is None:
        raise EvidenceNotKept(
            f"the evidence of the night of {night['as_of']} is not kept any more, or not as it was; "
            f"{_run_again(night)}"
        )
    moved = _first_moved(folder, marks, "")
    if moved:
        raise _not_kept(folder, moved, night)

    def read_json(name: str) -> Any:
        with _open_kept(folder, marks, name, night) as file:
            return json.loads(file.read().tobytes())

    return KeptEvidence(
        folder, night, read_json("sources.json"), frozenset(read_json("link/counts.json")), marks
    )
