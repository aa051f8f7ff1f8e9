-- asked_record: which person each record is, and of whom a source's rows may be evidence.
-- Grain   one row per record with a valid number that departments' rows are compared with.
-- Reads   record, household, person            Feeds  reach
--         is_alone: no other record is of that person, so a row that reaches it is counted once as it stands.
-- Rules   members always; obligors of active dibao and tekun households for tax alone (spec section 3).
create or replace table asked_record as
select
    r.record,
    r.household,
    p.person,
    r.role = 'member' as is_member,
    p.records = 1 as is_alone,
    p.scopes,
    r.name_digest,
    r.name_readable
from record as r
join household as h using (household)
join person as p using (hi, lo)
where r.is_valid and (r.role = 'member' or h.programme in ('低保', '特困'));
