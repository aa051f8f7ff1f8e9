-- household_judged: every row of households.csv with its final verdict.
-- Grain   one row per row of the file.
-- Reads   household_row            Feeds  member_judged, household
-- Rules   rows that share a household_id are all quarantined (spec section 2).
create or replace table household_judged as
select
    * exclude (mask),
    mask | case
        when household_id <> '' and count(*) over (partition by household_id) > 1 then $repeated::uinteger
        else 0::uinteger
    end as mask
from household_row;
