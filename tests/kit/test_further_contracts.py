"""The contracts of the departments beyond the card's seven: complete, closed, and read as they promise."""

from __future__ import annotations

import pytest

from connectors.registry import all_contracts, required_authorisations
from pipelines.connector_check import check_connector
from pipelines.connector_contract import contract_checks
from sample_data.further import FURTHER_SOURCES

# 社会救助暂行办法 art. 58: income and property are asked about on the household's commission alone.
INCOME_AND_PROPERTY = {
    "vehicles",
    "real_estate",
    "social_insurance",
    "housing_fund",
    "fiscal_payroll",
    "medical_expenditure",
}


@pytest.mark.parametrize("source", FURTHER_SOURCES)
def test_every_contract_is_complete(source: str) -> None:
    assert [str(one) for one in contract_checks(all_contracts()[source]) if not one.holds] == []


@pytest.mark.parametrize("source", ["real_estate", "fiscal_payroll", "education", "disability_certificates"])
def test_one_of_each_format_keeps_every_promise(source: str) -> None:
    assert [str(one) for one in check_connector(all_contracts()[source]) if not one.holds] == []


def test_income_and_property_count_only_with_an_authorisation() -> None:
    asked = {source for source in FURTHER_SOURCES if all_contracts()[source].authorisation}
    assert asked == INCOME_AND_PROPERTY


def test_no_deployment_expects_them_unasked() -> None:
    assert not [source for source in FURTHER_SOURCES if all_contracts()[source].expected]
    assert required_authorisations() == ["tax", "market_regulation", "banks", "securities", "insurance"]
