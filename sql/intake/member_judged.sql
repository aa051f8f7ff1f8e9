-- member_judged: every row of members.csv, judged against the accepted households.
-- Grain   one row per row of the file; household_row: its household's row in households.csv.
-- Reads   member_row, household_judged            Feeds  record, incomplete
-- Rules   a row of no accepted household is household_unknown (spec section 2).
create or replace table member_judged as
select
    m.* exclude (mask),
    h.row as household_row,
    m.mask | case when h.row is null and m.household_id <> '' then $unknown::uinteger else 0::uinteger end as mask
from member_row as m
left join household_judged as h on h.household_id = m.household_id and h.mask = 0;
