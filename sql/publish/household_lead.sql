-- household_lead: households with a lead about the whole household; such a lead carries the head's name.
-- Grain   one row per household.
-- Reads   discrepancy, newly_eligible            Feeds  the names on leads
create or replace table household_lead as
select household
from discrepancy
where record is null

union

select household
from newly_eligible
where record is null;
