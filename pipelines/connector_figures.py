"""The figures and words a department's own check is given."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from connectors.contract import Contract
from connectors.kit.department_file import Figures
from connectors.registry import all_contracts
from pipelines.intake.batch import REASONS
from pipelines.intake.receipts import HELD_REASONS
from policy.codes import load_codes
from policy.model import load


def figures_of(contract: Contract, as_of: date, policy: Path | None = None) -> Figures:
    """What a drop of the source is judged by on a day besides its contract. Raises PolicyError."""
    in_force, codes = load(policy).at(as_of), load_codes()
    return Figures(
        as_of=as_of,
        max_age_days=in_force.max_age_days(contract.source),
        max_quarantined_share=str(in_force.scalar("max_quarantined_share")),
        currencies=sorted(in_force.currencies()),
        sources=list(all_contracts()),
        held_words={reason: codes.held_reasons.names[reason] for reason in HELD_REASONS},
        reason_words={reason: codes.quarantine_reasons.names[reason] for reason in REASONS},
    )
