-- d03 重复享受: a valid number is a member of two or more active households. Value: number of households.
create or replace table d03 as
with shared as (
    select hi, lo
    from member
    where list = 'roster' and is_valid
    group by hi, lo
    having count(*) >= 2
)
select
    m.household,
    m.record,
    t.households * 100 as value_cents,
    100 as line_cents,
    '同一公民身份号码同时列为' || t.households || '户在保家庭的成员。' as evidence
from member as m
join (
    select hi, lo, count(distinct household) as households
    from member
    join shared using (hi, lo)
    where list = 'roster' and is_valid
    group by hi, lo
    having count(distinct household) >= 2
) as t using (hi, lo)
where m.list = 'roster' and m.is_valid;
