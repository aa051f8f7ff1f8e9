-- chosen_household: a household, on whichever list it stands, and those that share a member or an account with it.
-- Grain   one row per household.
-- Reads   every_household, every_record, every_payment            Feeds  the tables of a household check
-- Rules   one member of two active households is D03's case, and one account of several Z02's, so the others are
--         looked at too (spec section 4, docs/rules.md).
create or replace table chosen_household as
with wanted as (
    select household
    from every_household
    where household_id = $household_id
),
own as (
    select r.record, r.role, r.hi, r.lo
    from every_record as r
    where r.household in (select household from wanted)
),
own_account as (
    select p.account_no
    from every_payment as p
    where p.record in (select record from own)
),
other_payment as (
    select p.record
    from every_payment as p
    where p.account_no in (select account_no from own_account)
)
select household
from wanted

union

select r.household
from every_record as r
join own as o using (hi, lo)
where r.role = 'member' and o.role = 'member'

union

select r.household
from every_record as r
where r.record in (select record from other_payment);
