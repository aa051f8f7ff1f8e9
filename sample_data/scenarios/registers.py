"""More planted cases that the household registration tells."""

from __future__ import annotations

from sample_data.departments.household_registration import add_entry
from sample_data.figures import DIBAO, MARGIN
from sample_data.papers import Papers, each
from sample_data.people import CANCELLED, CHILD, DEAD, NORMAL, SPOUSE
from sample_data.scenario import Catalogue, household, member
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario


@scenario("deceased-today", "核对当日登记死亡", "roster", member(1, "D01"), members=(2, 4))
def deceased_today(cast: Cast) -> None:
    cast.registered(cast.member(1), DEAD, 0)


@scenario(
    "deceased-and-cancelled",
    "死亡并已注销户口",
    "roster",
    member(0, "D01"),
    member(0, "D02"),
    members=(1, 3),
    weight=2,
)
def deceased_and_cancelled(cast: Cast) -> None:
    cast.registered(cast.member(0), DEAD, 300)


@catalogue.papers("deceased-and-cancelled")
def deceased_and_cancelled_rows(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_entry(papers, person, 0, "02", "注销", status_date=papers.day(290).isoformat())


@scenario("cancelled", "户口已注销", "roster", member(1, "D02"), members=(2, 4))
def cancelled(cast: Cast) -> None:
    cast.registered(cast.member(1), CANCELLED, 30)


@scenario(
    "child-left-out",
    "户口簿上差一天满十八岁的子女不在名册",
    "roster",
    household("H01"),
    programme=DIBAO,
    kin=1,
)
def child_left_out(cast: Cast) -> None:
    put_in_register(cast, CHILD)
    cast.age(cast.kin(0), 18, -1)


def put_in_register(cast: Cast, relation: int) -> None:
    """The one kin stands in the family's register, whose head is a member of the household."""
    cast.registered(cast.member(0), NORMAL)
    cast.registered(cast.kin(0), NORMAL)
    cast.world.people.register_relation[cast.kin(0)] = relation


@scenario(
    "family-left-out",
    "户口簿上的配偶和未成年子女都不在名册",
    "roster",
    household("H01"),
    programme=MARGIN,
    members=(1, 3),
    kin=3,
    weight=2,
)
def family_left_out(cast: Cast) -> None:
    put_in_register(cast, SPOUSE)
    for position, years in ((1, 6), (2, 9)):
        cast.registered(cast.kin(position), NORMAL)
        cast.world.people.register_relation[cast.kin(position)] = CHILD
        cast.age(cast.kin(position), years, 11)
