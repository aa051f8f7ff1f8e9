-- trace: rows that hint at a record without being evidence.
-- Grain   one row per record and source with a name conflict or a repaired number.
-- Reads   reach of every source            Feeds  x02, x03
create or replace table trace as
select
    source,
    record,
    bool_or(how = 'name_conflict') as has_conflict,
    count(*) filter (how = 'repaired') as repaired_rows
from (
    select 'tax' as source, record, how from reach_tax
    union all
    select 'market_regulation', record, how from reach_market_regulation
    union all
    select 'banks', record, how from reach_banks
    union all
    select 'securities', record, how from reach_securities
    union all
    select 'insurance', record, how from reach_insurance
    union all
    select 'household_registration', record, how from reach_household_registration
)
where how <> 'exact'
group by source, record;
