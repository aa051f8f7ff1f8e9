-- roster: every active household of the roster, with what the desk needs to say who was checked and who is due.
-- Grain   one row per active roster household; nobody is named.
-- Reads   household, record, incomplete, unauthorised_household            Feeds  roster.parquet
-- Rules   declared_income (of the household a month) and declared_assets (of the household): yuan as the roster tells
--         them, two decimals, half up; the roster takes neither empty nor negative ones, so that the whole division is it.
--         lacks: why tonight is no whole check of the household, '' when it is one: incomplete (a member's row was
--         quarantined), authorisation (of some member for a source that was asked), sources (one was not usable).
--         disability: severe (grade 1 or 2), other (3 or 4) or none, of the member with the lowest grade.
create or replace table roster as
with family as (
    select
        household,
        min(try_cast(disability_grade as integer)) as grade
    from record
    where role = 'member' and list = 'roster' and disability_grade <> ''
    group by household
)
select
    h.household_id,
    h.county_code,
    h.township_code,
    h.programme,
    h.area,
    case when f.grade <= 2 then 'severe' when f.grade is not null then 'other' else 'none' end as disability,
    ((h.declared_monthly_income + 5000) // 10000)::decimal(18, 0) * 0.01::decimal(3, 2) as declared_income,
    ((h.declared_financial_assets + 5000) // 10000)::decimal(18, 0) * 0.01::decimal(3, 2) as declared_assets,
    case
        when i.household_id is not null then 'incomplete'
        when coalesce(u.scopes_missing, 0::ubigint) & $asked_scopes::ubigint <> 0 then 'authorisation'
        when not $is_usable then 'sources'
        else ''
    end as lacks
from household as h
left join family as f using (household)
left join incomplete as i on i.household_id = h.household_id and i.list = 'roster'
left join unauthorised_household as u on u.household_id = h.household_id and u.list = 'roster'
where h.list = 'roster';
