-- y01 守信承诺已失效: the household has given commitments and none of them is in force. Value: number of commitments.
-- A household of which no commitment is recorded is not accused of anything.
create or replace table y01 as
select
    m.household,
    null::integer as record,
    count(distinct c.document_no) * 100 as value_cents,
    0 as line_cents,
    '本户登记有守信承诺书' || count(distinct c.document_no) || '份，均已过期或撤销。' as evidence
from reach_credit_commitments as c
join member as m using (record)
where m.list = 'roster' and c.how = 'exact' and c.entry_kind = '守信承诺' and c.made_on <= $as_of
group by m.household
having not bool_or(c.entry_state = '有效' and coalesce(c.valid_until >= $as_of, true));
