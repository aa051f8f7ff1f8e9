"""One source tried out alone: the real roster and evidence intake on a made-up delivery, in a home of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.contract import Contract
from connectors.feeds import address_variable
from connectors.kit.mock import mock_person, render_file, write_feed
from connectors.registry import all_contracts
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.keyring import KeyRing, new_ring
from pipelines.intake.batch import reasons_of
from pipelines.intake.checks import Judging
from pipelines.intake.evidence import intake_source
from pipelines.intake.people import intake_people
from pipelines.settings import Settings
from policy.model import PolicyAt, load

AS_OF = date(2026, 6, 30)
PEOPLE = 40
UNAUTHORISED = 3  # the person of the mock roster who has signed nothing


@dataclass(frozen=True)
class Verdict:
    """What the intake said of one delivery.

    quarantined: (line, reasons); evidence: the rows it kept; written: all that lies under the home.
    """

    result: dict[str, Any]
    quarantined: list[tuple[int, str]]
    evidence: pa.Table | None
    written: bytes

    @property
    def fingerprint(self) -> str:
        """The same for the same delivery: counts, quarantine and the rows kept, in any order."""
        rows = sorted(map(str, self.evidence.to_pylist())) if self.evidence is not None else []
        told = json.dumps([self.result, self.quarantined, rows], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


class Trial:
    """Deliveries of one source for the mock people, of whom all but UNAUTHORISED have signed for everything."""

    def __init__(self, contract: Contract, folder: Path, as_of: date) -> None:
        self.contract = contract
        self.as_of = as_of
        self.settings = Settings(home=folder / "home", as_of=as_of, feeds=folder / "feeds")
        self.feed = folder / "feeds" / contract.source
        self.settings.work.mkdir(parents=True)
        self.policy: PolicyAt = load().at(as_of)
        self.judging = Judging(as_of, frozenset(self.policy.currencies()), frozenset(all_contracts()))
        ring = folder / "keyring.json"  # outside the home, and gone with the trial
        new_ring(ring, "aes", None)
        self.cipher: Tokeniser = KeyRing.open(self.settings.home, {"HEDUI_KEYRING": str(ring)}).cipher()
        _write_roster(folder / "feeds" / "roster", as_of)
        intake_people(self.settings, self.policy, self.cipher, self.judging)

    def deliver(self, files: Sequence[tuple[str, bytes, int]], snapshot: date | None = None) -> Verdict:
        """Write the files with a receipt that fits them, and read them as a night would."""
        shutil.rmtree(self.feed, ignore_errors=True)
        write_feed(self.contract, self.feed, files, snapshot or self.as_of - timedelta(days=1))
        return self.read()

    def read(self, feeds: Path | None = None) -> Verdict:
        """Read what lies in the feed now; feeds: another folder of sources' folders, which is only read."""
        settings = replace(self.settings, feeds=feeds) if feeds else self.settings
        result = intake_source(settings, self.contract.source, self.policy, self.cipher, self.judging)
        folder = self.settings.work / "evidence" / self.contract.source
        parts = [pa.ipc.open_file(part.read_bytes()) for part in sorted(folder.glob("part-*.arrow"))]
        bad = pq.read_table(self.settings.work / "quarantine" / f"{self.contract.source}.parquet")
        lines = zip(bad.column("line").to_pylist(), bad.column("mask").to_pylist(), strict=True)
        return Verdict(
            result,
            [(line, reasons_of(mask)) for line, mask in lines],
            pa.concat_tables([part.read_all() for part in parts]) if parts else None,
            b"".join(path.read_bytes() for path in sorted(self.settings.home.rglob("*")) if path.is_file()),
        )


@contextmanager
def open_trial(contract: Contract, as_of: date = AS_OF) -> Iterator[Trial]:
    """A trial in a folder that is gone afterwards; addresses in the environment are not asked."""
    variables = map(address_variable, (contract.source, "roster"))
    asked = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        with TemporaryDirectory(prefix="hedui-trial-") as folder:
            yield Trial(contract, Path(folder), as_of)
    finally:
        os.environ.update(asked)


def _write_roster(folder: Path, as_of: date) -> None:
    """One household of one person each; PEOPLE of them."""
    roster = all_contracts()["roster"]
    households, members, signed = [], [], []
    for number in range(PEOPLE):
        id_number, name = mock_person(number)
        one = {column.name: "" for file in roster.files for column in file.columns}
        one |= {"household_id": f"T{number:04d}", "programme": "低保", "county_code": "440103"}
        one |= {"township_code": "440103001", "area": "城镇", "declared_monthly_income": "0"}
        one |= {"declared_financial_assets": "0", "status": "在保", "id_number": id_number, "name": name}
        one |= {"role": "成员", "relation": "01", "severe_illness": "否"}
        one |= {"signed_on": (as_of - timedelta(days=90)).isoformat(), "scope": "*"}
        households.append(one)
        members.append(one)
        if number != UNAUTHORISED:
            signed.append(one)
    rows = {"households": households, "members": members, "authorisations": signed}
    files = [(file.pattern, render_file(file, rows[file.key]), len(rows[file.key])) for file in roster.files]
    write_feed(roster, folder, files, as_of)
