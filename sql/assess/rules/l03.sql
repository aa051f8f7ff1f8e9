-- l03 领取失业保险金: unemployment benefit within the income window. Value: yuan in the window.
create or replace table l03 as
with entry as (
    select
        record,
        row_digest,
        any_value(amount) as amount,
        any_value(insured_month) as insured_month
    from reach_social_insurance
    where how = 'exact' and scheme = '失业保险' and entry_kind = '待遇'
        and insured_month between $window_start and $window_end
    group by record, row_digest
)
select
    m.household,
    m.record,
    round_half_up(sum(e.amount)::hugeint * 100, 1000000) as value_cents,
    0 as line_cents,
    '社会保险记录显示该成员' || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m')
        || '领取失业保险金' || count(distinct e.insured_month) || '个月，合计'
        || yuan(round_half_up(sum(e.amount)::hugeint * 100, 1000000)) || '元。' as evidence
from entry as e
join member as m using (record)
join household as h on h.household = m.household
where m.list = 'roster' and h.programme in ('低保', '特困', '低保边缘')
group by m.household, m.record
having sum(e.amount) > 0;
