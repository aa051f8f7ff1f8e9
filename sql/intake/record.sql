-- record: who is asked about tonight; the rows that departments' rows are compared with (spec section 3).
-- Grain   one row per accepted person row of a household that is looked at.
--         Its number is where its name was read: sorting millions of records only to number them costs seconds.
-- Reads   household, member_judged, monitored_judged, authorised            Feeds  person, link, every rule
-- Rules   is_asked: departments' rows are compared with it. Members always; obligors of active dibao and tekun
--         households, for tax alone (spec section 3).
create or replace table record as
with everyone as (
    select
        h.household,
        'roster' as list,
        case m.role when '成员' then 'member' else 'obligor' end as role,
        m.name_row,
        m.hi,
        m.lo,
        m.is_valid,
        m.age,
        m.relation,
        m.disability_grade,
        m.disability_category,
        m.severe_illness,
        m.name_digest,
        m.name_readable,
        m.is_valid and (m.role = '成员' or h.programme in ('低保', '特困')) as is_asked
    from member_judged as m
    join household as h on h.household_row = m.household_row
    where m.mask = 0

    union all by name

    select
        h.household,
        'monitored' as list,
        'member' as role,
        m.name_row,
        m.hi,
        m.lo,
        m.is_valid,
        m.age,
        m.relation,
        m.disability_grade,
        m.disability_category,
        m.severe_illness,
        m.name_digest,
        m.name_readable,
        m.is_valid as is_asked
    from monitored_judged as m
    join household as h on h.household_id = m.household_id and h.list = 'monitored'
    where m.mask = 0
)
select
    (e.name_row + 1)::integer as record,
    e.* exclude (name_row),
    coalesce(a.scopes, 0::ubigint) as scopes
from everyone as e
left join authorised as a using (hi, lo);
