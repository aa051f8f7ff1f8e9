-- z01 死亡后仍发放: successful payments for months after the month of death. Value: yuan.
-- Rules   dead by household registration or by a cremation record, whichever day is earlier; the month of death itself
--         is still due.
create or replace table z01 as
with death as (
    select record, min(died_on) as died_on
    from (
        select record, died_on from registration where died_on is not null
        union all
        select record, coalesce(died_on, cremated_on) as died_on from reach_cremation where how = 'exact' and cremated_on <= $as_of
    )
    group by record
),
payment as (
    select
        record,
        row_digest,
        any_value(benefit_month) as benefit_month,
        any_value(amount) as amount
    from reach_benefit_payments
    where how = 'exact' and party = '受助人' and payment_state = '成功' and paid_on <= $as_of
    group by record, row_digest
)
select
    m.household,
    m.record,
    round_half_up(sum(p.amount)::hugeint * 100, 1000000) as value_cents,
    0 as line_cents,
    '该成员于' || strftime(any_value(d.died_on), '%Y年%m月%d日') || '死亡，' || strftime(min(p.benefit_month), '%Y-%m') || '至'
        || strftime(max(p.benefit_month), '%Y-%m') || '仍有' || count(distinct p.benefit_month) || '个月的救助金发放成功，合计'
        || yuan(round_half_up(sum(p.amount)::hugeint * 100, 1000000)) || '元。' as evidence
from payment as p
join death as d using (record)
join member as m using (record)
where m.list = 'roster' and p.benefit_month > last_day(d.died_on)
group by m.household, m.record
having sum(p.amount) > 0;
