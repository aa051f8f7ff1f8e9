-- v01 名下机动车: a vehicle that is neither of an exempt kind nor the household's livelihood. Value: number of vehicles.
create or replace table v01 as
select
    c.household,
    null::integer as record,
    c.value_cents,
    c.line_cents,
    c.evidence || '。' as evidence
from vehicle_case as c
join household as h using (household)
where c.rule = 'V01' and h.list = 'roster';
