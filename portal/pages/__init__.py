"""The pages of the desk, one module per errand."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "sign_in",
    "home",
    "lists",
    "case",
    "work",
    "papers",
    "sheets",
    "people",
    "coverage",
    "statistics",
    "audit",
    "users",
)


def register_all() -> None:
    """Put every page into portal.routing.PAGES; importing a module registers its pages once."""
    for name in MODULES:
        import_module(f"portal.pages.{name}")
