"""What became of one source tonight: accepted, held or missing, and its counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.contract import Contract
from connectors.errors import FeedError
from connectors.feeds import Feed
from pipelines.errors import SourceHeld
from pipelines.intake.files import QUARANTINE_SCHEMA, FileOutcome
from pipelines.intake.receipts import HELD_REASONS, Receipt, read_receipt
from pipelines.settings import Settings
from policy.model import PolicyAt


@dataclass
class SourceResult:
    """Counts of an accepted source; zero for a held one (what was seen of it stands in `seen`).

    reused: what of an earlier night's reading stands: "all" (the delivery was not read), "rows" (of people whose rows
    are the same; of the roster all but the authorisations) or "nothing"; dates as ISO text; covers: first and last
    month as YYYY-MM; kept: rows that reach somebody asked about; kept_sum: all their amounts, in millionths; files:
    name, sha256 and rows of the receipt; codes: {column: {code: accepted rows}}.
    """

    source: str
    state: str = "accepted"
    reason: str | None = None
    message: str = ""
    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    unauthorised: int = 0
    kept: int = 0
    kept_sum: int = 0
    seen: int = 0
    seen_quarantined: int = 0
    receipt_rows: int = 0
    snapshot_date: str | None = None
    covers: list[str] | None = None
    age_days: int | None = None
    max_age_days: int = 0
    max_quarantined_share: float = 0.0
    reused: str = "nothing"
    files: list[dict[str, Any]] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    codes: dict[str, dict[str, int]] = field(default_factory=dict)

    def hold(self, reason: str, message: str) -> None:
        """Hold the source; of several reasons the first in HELD_REASONS is kept."""
        if self.state == "held" and HELD_REASONS.index(str(self.reason)) <= HELD_REASONS.index(reason):
            return
        self.state, self.reason, self.message = "held", reason, message

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_receipt(contract: Contract, feed: Feed, policy: PolicyAt) -> tuple[SourceResult, Receipt | None]:
    """Open a feed: its receipt, or why there is nothing to read."""
    result = SourceResult(contract.source, max_age_days=policy.max_age_days(contract.source))
    try:
        raw = feed.receipt()
    except FeedError as error:
        # Whoever cannot be reached has delivered nothing tonight; the message says what to do.
        result.state, result.message = "missing", str(error)
        return result, None
    if raw is None:
        result.state, result.message = (
            "missing",
            f"{contract.source}: no folder or no receipt.json; nothing of it is used tonight",
        )
        return result, None
    try:
        receipt = read_receipt(raw, contract.source)
    except SourceHeld as held:
        result.hold(held.reason, str(held))
        return result, None
    result.snapshot_date = receipt.snapshot_date.isoformat()
    result.covers = [month.strftime("%Y-%m") for month in receipt.covers] if receipt.covers else None
    result.files = [{"name": file.name, "sha256": file.sha256, "rows": file.rows} for file in receipt.files]
    result.receipt_rows = sum(file.rows for file in receipt.files)
    listed = {file.name for file in receipt.files}
    try:
        result.unlisted = [name for name in feed.names() if name not in listed]
    except FeedError as error:
        result.hold("unreadable", str(error))
        return result, None
    _check_age(result, receipt.snapshot_date, policy.as_of)
    return result, receipt


def _check_age(result: SourceResult, snapshot: date, as_of: date) -> None:
    result.age_days = (as_of - snapshot).days
    if not 0 <= result.age_days <= result.max_age_days:
        when = f"{result.age_days} days before" if result.age_days >= 0 else f"{-result.age_days} days after"
        result.hold(
            "stale",
            f"{result.source}: the snapshot is of {snapshot}, {when} {as_of}; "
            f"wanted 0 to {result.max_age_days} days before. Ask the department for a fresh one",
        )


def finish_source(
    settings: Settings, policy: PolicyAt, result: SourceResult, outcomes: list[FileOutcome]
) -> None:
    """Add the files up, hold what must be held, and write the source's quarantine."""
    seen = sum(outcome.received for outcome in outcomes)
    quarantined = sum(outcome.quarantined for outcome in outcomes)
    share = policy.scalar("max_quarantined_share")
    assert not isinstance(share, tuple)
    result.max_quarantined_share = float(share)
    for outcome in outcomes:
        for reason, message in outcome.held:
            result.hold(reason, message)
    if quarantined > share * seen:
        result.hold(
            "too_many_bad_rows",
            f"{result.source}: {quarantined} of {seen} rows are quarantined; wanted a share of at most {share}. "
            "Send the quarantine list back to the department.",
        )
    result.seen, result.seen_quarantined = seen, quarantined
    reasons: Counter[str] = Counter()
    codes: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        reasons.update(outcome.reasons())
        for column, counts in outcome.codes.items():
            codes.setdefault(column, Counter()).update(counts)
    result.reasons, result.codes = dict(reasons), {column: dict(counts) for column, counts in codes.items()}
    if result.state == "accepted":
        result.received, result.quarantined, result.accepted = seen, quarantined, seen - quarantined
    folder = settings.work / "quarantine"
    folder.mkdir(parents=True, exist_ok=True)
    tables = [outcome.quarantine(result.source) for outcome in outcomes]
    pq.write_table(
        pa.concat_tables(tables) if tables else QUARANTINE_SCHEMA.empty_table(),
        folder / f"{result.source}.parquet",
    )
