-- registration: what household registration says of each record.
-- Grain   one row per record with an exact row that tells of a death, a move away or a cancelled entry.
-- Reads   reach_household_registration            Feeds  d01, d02, member
create or replace table registration as
select
    record,
    max(status_date) filter (status = '死亡' and status_date <= $as_of) as died_on,
    bool_or(status = '死亡') as has_death_row,
    max(status_date) filter (status in ('迁出', '注销') and status_date <= $as_of) as left_on,
    bool_or(status = '正常') as has_normal_row
from reach_household_registration
where how = 'exact'
    and record in (select record from reach_household_registration where how = 'exact' and status <> '正常')
group by record;
