-- d05 服刑或强制隔离戒毒: in custody on the as-of date. Value: number of custody records.
-- Rules   who has left (released, on parole, serving outside) is a member again from that day; a record without a day
--         of leaving whose expected end has passed proves nothing.
create or replace table d05 as
select
    m.household,
    m.record,
    count(distinct c.custody_no) * 100 as value_cents,
    0 as line_cents,
    '司法行政、公安机关记录显示该成员自' || strftime(min(c.entered_on), '%Y年%m月%d日') || '起'
        || string_agg(distinct c.custody_kind, '、' order by c.custody_kind) || '，尚无离开监所的记录，名册仍列为共同生活的家庭成员。'
        as evidence
from member as m
join reach_detention as c using (record)
where m.list = 'roster' and c.how = 'exact' and c.entered_on <= $as_of
    and coalesce(c.left_on > $as_of, c.due_on is null or c.due_on >= $as_of)
group by m.household, m.record;
