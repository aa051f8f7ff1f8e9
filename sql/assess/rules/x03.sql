-- x03 疑似本人记录: rows with a mistyped number and the same name. Value: number of such rows.
create or replace table x03 as
select
    m.household,
    m.record,
    sum(t.repaired_rows)::hugeint * 100 as value_cents,
    0 as line_cents,
    '有' || sum(t.repaired_rows) || '条记录姓名相同、号码仅差一位或相邻两位颠倒，疑为本人，未作为依据。' as evidence
from member as m
join trace as t using (record)
where m.list = 'roster' and t.repaired_rows > 0
group by m.household, m.record;
