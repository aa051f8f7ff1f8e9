"""What each role may do. Where it may do it is portal.scope's matter."""

from __future__ import annotations

ROLES = {
    "county": "县级工作人员",
    "township": "乡镇（街道）工作人员",
    "city": "市级",
    "province": "省级",
    "auditor": "审计",
    "admin": "系统管理员",
}

# How many digits of a division code each role's region has.
REGION_DIGITS = {
    "county": {6},
    "township": {9},
    "city": {4},
    "province": {2},
    "auditor": {2, 4, 6},
    "admin": {2, 4, 6},
}

_FIELD_WORK = {
    "read_cases",
    "see_people",
    "reveal",
    "visit",
    "reply",
    "outreach",
    "note",
    "download",
    "upload",
}
_COUNTY_WORK = {
    "assign",
    "send_back",
    "decide",
    "second",
    "serve",
    "object",
    "close",
    "reopen",
    "refer",
    "suppress",
}

# Three separate administrators (GB/T 22239-2019): who keeps accounts sees no cases, who audits changes nothing.
MAY: dict[str, frozenset[str]] = {
    "county": frozenset(_FIELD_WORK | _COUNTY_WORK | {"read_statistics"}),
    "township": frozenset(_FIELD_WORK),
    "city": frozenset({"read_cases", "read_statistics", "download"}),
    "province": frozenset({"read_cases", "read_statistics", "download"}),
    "auditor": frozenset({"read_statistics", "read_audit"}),
    "admin": frozenset({"keep_users"}),
}


def may(role: str, what: str) -> bool:
    """`own_account` belongs to everyone who is signed in."""
    return what == "own_account" or what in MAY[role]
