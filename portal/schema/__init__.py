"""The desk's tables. Every table that tells of a household stands on `InPlace`, which the scope filters."""

from portal.schema.base import Base, InPlace
from portal.schema.leads import Case, Lead, LeadChange, Night, Suppression
from portal.schema.ledger import Attempt, Download, Reveal, Setting
from portal.schema.people import DeskSession, User
from portal.schema.roster import Household, YearlyVisit
from portal.schema.work import (
    Attachment,
    Decision,
    Event,
    Note,
    Notice,
    Objection,
    Outreach,
    Referral,
    Reply,
    Visit,
)

__all__ = [
    "Attachment",
    "Attempt",
    "Base",
    "Case",
    "Decision",
    "DeskSession",
    "Download",
    "Event",
    "Household",
    "InPlace",
    "Lead",
    "LeadChange",
    "Night",
    "Note",
    "Notice",
    "Objection",
    "Outreach",
    "Referral",
    "Reply",
    "Reveal",
    "Setting",
    "Suppression",
    "User",
    "Visit",
    "YearlyVisit",
]
