-- chosen_household: a household, on whichever list it stands, and those that share a member with it.
-- Grain   one row per household.
-- Reads   every_household, every_record            Feeds  the tables of a household check
-- Rules   one member of two active households is D03's case, so the others are looked at too (spec section 4).
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
)
select household
from wanted

union

select r.household
from every_record as r
join own_member as o using (hi, lo)
where r.role = 'member';
