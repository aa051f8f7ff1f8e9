-- d01 成员已死亡: an exact row 死亡 with status_date up to the as-of date. Value: days since the latest.
create or replace table d01 as
select
    m.household,
    m.record,
    date_diff('day', g.died_on, $as_of) * 100 as value_cents,
    0 as line_cents,
    '户籍登记显示该成员于' || strftime(g.died_on, '%Y年%m月%d日') || '死亡，名册仍为在保成员。' as evidence
from member as m
join registration as g using (record)
where m.list = 'roster' and g.died_on is not null;
