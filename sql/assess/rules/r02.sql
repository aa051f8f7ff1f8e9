-- r02 非住宅不动产: shops, offices, parking spaces. Value: number of units.
create or replace table r02 as
select
    c.household,
    null::integer as record,
    c.value_cents,
    c.line_cents,
    c.evidence || '。' as evidence
from real_estate_case as c
join household as h using (household)
where c.rule = 'R02' and h.list = 'roster';
