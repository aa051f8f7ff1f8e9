-- registration: what household registration says of each record.
-- Grain   one row per record with an exact row.
-- Reads   reach_household_registration            Feeds  d01, d02, n03, u02
create or replace table registration as
select
    record,
    max(status_date) filter (status = '死亡' and status_date <= $as_of) as died_on,
    bool_or(status = '死亡') as has_death_row,
    max(status_date) filter (status in ('迁出', '注销') and status_date <= $as_of) as left_on,
    bool_or(status = '正常') as has_normal_row
from reach_household_registration
where how = 'exact'
group by record;
