-- x02 身份信息不一致: the number agrees and the readable names differ. Value: number of sources.
create or replace table x02 as
select
    m.household,
    m.record,
    count(*) * 100 as value_cents,
    0 as line_cents,
    '有' || count(*) || '个数据来源登记的姓名与名册不同（公民身份号码相同），相关记录未作为依据。' as evidence
from member as m
join trace as t using (record)
where m.list = 'roster' and t.has_conflict
group by m.household, m.record;
