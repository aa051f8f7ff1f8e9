"""What the tests of pages share."""

from __future__ import annotations

from datetime import date

import pytest


@pytest.fixture
def today() -> date:
    return date(2026, 6, 30)
