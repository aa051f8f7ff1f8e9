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
own_member as (
    select r.hi, r.lo
    from every_record as r
    join wanted using (household)
    where r.role = 'member'
),
own_account as (
    select p.account_no
    from every_payment as p
    join every_record as r using (record)
    join wanted using (household)
)
select household
from wanted

union

select r.household
from every_record as r
join own_member as o using (hi, lo)
where r.role = 'member'

union

select r.household
from every_payment as p
join own_account as o using (account_no)
join every_record as r using (record);
