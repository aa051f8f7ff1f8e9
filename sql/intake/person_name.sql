-- person_name: under which readable names each person stands in the records; mistyped rows are repaired by these.
-- Grain   one row per person, name and whether it is a member's or an obligor's record.
-- Reads   record, household, person            Feeds  evidence of every source
create or replace table person_name as
select distinct
    p.person,
    r.name_digest,
    r.role = 'member' as is_member
from record as r
join household as h using (household)
join person as p using (hi, lo)
where r.is_valid and r.name_readable and (r.role = 'member' or h.programme in ('低保', '特困'));
