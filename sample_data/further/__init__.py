"""Feeds of the departments beyond the card's seven: vehicles, real estate, social insurance and the others.

They are drawn about the same people after everything else is settled, and change no byte of the other feeds.
"""

# In the order people name them; each has a contract in connectors/.
FURTHER_SOURCES = (
    "cremation",
    "vehicles",
    "real_estate",
    "social_insurance",
    "housing_fund",
    "fiscal_payroll",
    "disability_certificates",
    "medical_expenditure",
    "detention",
    "marriage",
    "education",
    "benefit_payments",
    "close_relatives",
    "credit_commitments",
)
