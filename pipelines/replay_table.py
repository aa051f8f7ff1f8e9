"""What a replay would take, for the operator: counts per source and reason, never a value."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.replay import Healing, Trial

_COLUMNS = ("then", "accepted", "still", "not_delivered", "new")


def replay_table(trials: Sequence[Trial]) -> str:
    """Plain text, one block per source."""
    return "\n\n".join("\n".join(_block(trial)) for trial in trials)


def _block(trial: Trial) -> list[str]:
    then, now = trial.then, trial.now
    reason = f" ({then['reason']})" if then["reason"] else ""
    lines = [
        f"{trial.source}: {then['state']}{reason}, {then['quarantined']:,} rows quarantined; "
        f"would be accepted with {now['received']:,} rows, {now['quarantined']:,} quarantined"
    ]
    if trial.reasons:
        width = max(len(reason) for reason in ("reason", *trial.reasons))
        lines.append("  ".join([" " + "reason".ljust(width), *(f"{name:>13}" for name in _COLUMNS)]))
        lines += [f" {reason.ljust(width)}  {_counts(healing)}" for reason, healing in trial.reasons.items()]
    return lines


def _counts(healing: Healing) -> str:
    return "  ".join(f"{getattr(healing, name):>13,}" for name in _COLUMNS)
