-- trace: rows that hint at a record without being evidence.
-- Grain   one row per record and source with a name conflict or a repaired number.
-- Reads   inexact            Feeds  x02, x03
create or replace table trace as
select
    source,
    record,
    bool_or(how = 'name_conflict') as has_conflict,
    count(*) filter (how = 'repaired') as repaired_rows
from inexact
group by source, record;
