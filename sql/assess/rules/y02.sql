-- y02 失信记录在有效期内: a record that is neither expired, repaired nor withdrawn. Value: number of records.
create or replace table y02 as
select
    m.household,
    m.record,
    count(distinct c.document_no) * 100 as value_cents,
    0 as line_cents,
    '有' || count(distinct c.document_no) || '条社会救助失信记录在有效期内，最近一条于'
        || strftime(max(c.made_on), '%Y年%m月%d日') || '认定。' as evidence
from reach_credit_commitments as c
join member as m using (record)
where m.list = 'roster' and c.how = 'exact' and c.entry_kind = '失信记录' and c.entry_state = '有效' and c.made_on <= $as_of
    and coalesce(c.valid_until >= $as_of, true) and not coalesce(c.repaired_on <= $as_of, false)
group by m.household, m.record;
