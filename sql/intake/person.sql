-- person: the distinct valid numbers among the records, in token order; departments' rows are looked up here.
-- Grain   one row per person.
-- Reads   record, household            Feeds  evidence of every source
-- Rules   obligors of active dibao and tekun households are records for tax alone (spec section 3).
create or replace table person as
with asked as (
    select
        r.hi,
        r.lo,
        r.scopes,
        r.role = 'member' as is_member,
        r.role = 'obligor' and h.programme in ('低保', '特困') as is_obligor,
        r.name_readable
    from record as r
    join household as h using (household)
    where r.is_valid and (r.role = 'member' or h.programme in ('低保', '特困'))
)
select
    (row_number() over (order by hi, lo) - 1)::integer as person,
    hi,
    lo,
    any_value(scopes) as scopes,
    count(*) as records,
    bool_or(is_member) as is_member,
    bool_or(is_obligor) as is_obligor,
    bool_or(is_member and name_readable) as has_readable_member_name,
    bool_or(name_readable) as has_readable_name,
    bool_or(is_member and not name_readable) as has_unreadable_member_name,
    bool_or(not name_readable) as has_unreadable_name
from asked
group by hi, lo
order by person;
