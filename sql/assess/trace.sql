-- trace: rows that hint at a record without being evidence.
-- Grain   one row per record and source with a name conflict or a repaired number.
-- Reads   reach_every_source            Feeds  x02, x03
create or replace table trace as
select
    source,
    record,
    bool_or(how = 'name_conflict') as has_conflict,
    count(*) filter (how = 'repaired') as repaired_rows
from reach_every_source
where how <> 'exact'
group by source, record;
