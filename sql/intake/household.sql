-- household: the households that are looked at tonight.
-- Grain   one row per active roster household and per candidate monitored household.
-- Reads   household_judged, member_judged, monitored_judged, incomplete            Feeds  record, every rule
-- Rules   only active households are checked; candidates are monitored households whose risk is not eliminated
--         and none of whose members is, by valid ID, a member of an active roster household (spec section 4).
create or replace table household as
with
active as (
    select
        'roster' as list,
        row as household_row,
        household_id,
        programme,
        county_code,
        township_code,
        area,
        declared_monthly_income,
        declared_financial_assets,
        null::bigint as declared_annual_income_per_capita,
        null::bigint as rigid_expenditure_12m,
        null::boolean as has_obligor
    from household_judged
    where mask = 0 and status = '在保'
),
taken as (
    select distinct m.household_id
    from monitored_judged as m
    join member_judged as r using (hi, lo)
    join active as a on a.household_row = r.household_row
    where m.mask = 0 and m.is_valid and r.mask = 0 and r.is_valid and r.role = '成员'
),
candidate as (
    select
        'monitored' as list,
        null::bigint as household_row,
        household_id,
        null::varchar as programme,
        county_code,
        township_code,
        area,
        null::bigint as declared_monthly_income,
        null::bigint as declared_financial_assets,
        declared_annual_income_per_capita,
        rigid_expenditure_12m,
        has_obligor = '有' as has_obligor
    from monitored_judged
    where mask = 0 and relation = '01' and risk_eliminated = '否'
        and household_id not in (select t.household_id from taken as t)
),
everyone as (
    select * from active
    union all by name
    select * from candidate
)
select
    (row_number() over (order by list, household_id))::integer as household,
    e.*,
    coalesce(i.rows_quarantined, 0) as rows_quarantined
from everyone as e
left join incomplete as i using (list, household_id);
