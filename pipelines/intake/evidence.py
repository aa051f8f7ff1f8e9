"""What a department knows about the people asked about; rows of everybody else are dropped where they are read."""

from __future__ import annotations

import json
import os
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from connectors.contract import Contract
from connectors.feeds import Feed, open_feed
from connectors.registry import all_contracts
from pipelines.durable import replacing_folder
from pipelines.identity.cipher import Tokeniser
from pipelines.intake.asked import load_asked
from pipelines.intake.carried import Carried
from pipelines.intake.checks import Judging
from pipelines.intake.evidence_reader import EvidenceReader
from pipelines.intake.gathered import Gathered
from pipelines.intake.persons import distinct
from pipelines.intake.receipts import Receipt
from pipelines.intake.reuse import find_carried, forget_reading, is_as_promised, note_reading, reading_key
from pipelines.intake.source import SourceResult, check_receipt, finish_source
from pipelines.settings import Settings
from policy.model import PolicyAt


def intake_source(
    settings: Settings,
    source: str,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    feed: Feed | None = None,
) -> dict[str, Any]:
    """Read one department's feed into work/<as-of>/evidence/<source>. Returns its SourceResult as a dict.

    feed: one that is open already and stays so; without it that of the settings and the environment.
    """
    contract = all_contracts()[source]
    opened = nullcontext(feed) if feed else closing(open_feed(source, settings.feeds, os.environ))
    with replacing_folder(settings.work / "evidence" / source) as building:
        with opened as delivery:
            result = _read_feed(settings, contract, delivery, policy, cipher, judging, building)
        values = result.as_dict()
        (building / "source.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return values


def _read_feed(
    settings: Settings,
    contract: Contract,
    feed: Feed,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    building: Path,
) -> SourceResult:
    result, receipt = check_receipt(contract, feed, policy)
    if receipt is None:
        finish_evidence(settings, policy, result, [])
        return result
    people = load_asked(settings.work / "people", contract.source)
    key = reading_key(contract, receipt.files, cipher, judging)
    carried = find_carried(settings, contract, key, judging.as_of, people, cipher)
    if carried and carried.is_enough() and is_as_promised(feed, receipt.files):
        result.reused = "all"
        gathered = carried.take_over(building)
        finish_evidence(settings, policy, result, gathered)
    else:
        if carried:
            result.reused = "rows"
            people.sought = carried.standing.sought
        reader = EvidenceReader(feed, contract, people, cipher, judging, building, carried)
        gathered = [reader.gather(listed, number) for number, listed in enumerate(receipt.files)]
        finish_evidence(settings, policy, result, gathered)
        if result.state == "accepted":
            _gather_every_register(reader, receipt, gathered, building, carried)
    if result.state == "accepted":
        note_reading(building, key, judging.as_of, gathered)
    else:
        _empty(building)
    return result


def _gather_every_register(
    reader: EvidenceReader,
    receipt: Receipt,
    gathered: list[Gathered],
    building: Path,
    carried: Carried | None,
) -> None:
    """The second look; not at registers whose rows are known from an earlier night and would be judged alike."""
    registers = distinct(*(one.registers for one in gathered))
    if carried and carried.earlier.is_judged_alike and len(registers):
        registers = np.setdiff1d(registers, carried.keep_registers(registers, building), assume_unique=True)
    if not len(registers):
        return
    for number, listed in enumerate(receipt.files, 1):
        part = building / f"register-{number:04d}.parquet"
        reader.gather_registers(listed, registers, part)


def _empty(folder: Path) -> None:
    for part in [*folder.glob("*.arrow"), *folder.glob("*.parquet")]:
        part.unlink()
    forget_reading(folder)


def finish_evidence(
    settings: Settings, policy: PolicyAt, result: SourceResult, gathered: list[Gathered]
) -> None:
    finish_source(settings, policy, result, [one.outcome for one in gathered])
    if result.state == "accepted":
        result.unauthorised = sum(one.unauthorised for one in gathered)
        result.kept = sum(one.kept for one in gathered)
        result.kept_sum = sum(one.kept_sum for one in gathered)


def hold_source(settings: Settings, source: str, reason: str) -> None:
    """Hold a source after it was read: nothing of it is used, its quarantine stays."""
    folder = settings.work / "evidence" / source
    result = json.loads((folder / "source.json").read_text(encoding="utf-8"))
    counts = ("received", "accepted", "quarantined", "unauthorised", "kept", "kept_sum")
    result.update(
        dict.fromkeys(counts, 0),
        state="held",
        reason=reason,
        message=f"{source}: held by the gate after intake",
    )
    _empty(folder)
    (folder / "source.json").write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
