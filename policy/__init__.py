"""Policy as dated data with sources; the specification's section 6."""

from policy.errors import PolicyError
from policy.model import Line, Policy, PolicyAt, load
from policy.reader import Entry

__all__ = ["Entry", "Line", "Policy", "PolicyAt", "PolicyError", "load"]
