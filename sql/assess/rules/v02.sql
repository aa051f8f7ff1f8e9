-- v02 谋生车辆超出价值限额: the livelihood vehicle is worth more than the county's limit. Value and line: yuan.
create or replace table v02 as
select
    c.household,
    null::integer as record,
    c.value_cents,
    c.line_cents,
    c.evidence || '。' as evidence
from vehicle_case as c
join household as h using (household)
where c.rule = 'V02' and h.list = 'roster';
