-- b02 个体经营: operator of an existing individual business. Value: number of businesses.
create or replace table b02 as
select
    m.household,
    m.record,
    b.individual_businesses * 100 as value_cents,
    0 as line_cents,
    '登记为' || b.individual_businesses || '户存续个体工商户的经营者（统一社会信用代码' || b.individual_usccs || '）。' as evidence
from member as m
join business as b using (record)
where m.list = 'roster' and b.individual_businesses > 0;
