-- d03 重复享受: a valid number is a member of two or more active households. Value: number of households.
create or replace table d03 as
-- Half a token tells nearly all apart, at half the cost.
with twice as (
    select household, record, hi, lo
    from member
    where list = 'roster' and is_valid and hi in (
        select hi from member where list = 'roster' and is_valid group by hi having count(*) >= 2
    )
)
select
    m.household,
    m.record,
    t.households * 100 as value_cents,
    100 as line_cents,
    '同一公民身份号码同时列为' || t.households || '户在保家庭的成员。' as evidence
from twice as m
join (select hi, lo, count(distinct household) as households from twice group by hi, lo) as t using (hi, lo)
where t.households >= 2;
