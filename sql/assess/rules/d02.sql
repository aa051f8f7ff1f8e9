-- d02 户籍已迁出或注销: an exact row 迁出 or 注销 and no exact row 正常. Value: days since the latest.
create or replace table d02 as
select
    m.household,
    m.record,
    date_diff('day', g.left_on, $as_of) * 100 as value_cents,
    0 as line_cents,
    '户籍登记显示该成员户口已于' || strftime(g.left_on, '%Y年%m月%d日') || '迁出或注销，未见正常户籍记录。' as evidence
from member as m
join registration as g using (record)
where m.list = 'roster' and g.left_on is not null and not g.has_normal_row;
