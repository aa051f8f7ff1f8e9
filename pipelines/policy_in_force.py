"""The policy that holds on the as-of date of a run."""

from __future__ import annotations

from pipelines.errors import NightFailed, UsageError
from pipelines.rule_sql import known_rules
from pipelines.settings import Settings
from policy import PolicyError
from policy.model import PolicyAt, load


def load_policy(settings: Settings) -> PolicyAt:
    """The policy in force. Raises NightFailed naming file, key and date, or a rule, before any feed is read."""
    if settings.policy is not None and not settings.policy.exists():
        raise UsageError("--policy is neither a file nor a folder; wanted a policy as in policy/guangdong/")
    try:
        known_rules()
        return load(settings.policy).at(settings.as_of)
    except PolicyError as error:
        raise NightFailed(f"policy: {error}") from None
