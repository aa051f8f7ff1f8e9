-- f01 财政供养人员: paid from the fiscal payroll within the income window, in a post that is not exempt. Value: yuan
-- in the window.
create or replace table f01 as
with payment as (
    select
        record,
        row_digest,
        any_value(post_kind) as post_kind,
        any_value(pay_month) as pay_month,
        any_value(gross_pay) as gross_pay
    from reach_fiscal_payroll
    where how = 'exact' and pay_month between $window_start and $window_end
    group by record, row_digest
)
select
    m.household,
    m.record,
    round_half_up(sum(p.gross_pay)::hugeint * 100, 1000000) as value_cents,
    0 as line_cents,
    '财政工资发放记录显示该成员为' || string_agg(distinct p.post_kind, '、' order by p.post_kind) || '，'
        || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m') || '应发合计'
        || yuan(round_half_up(sum(p.gross_pay)::hugeint * 100, 1000000)) || '元。' as evidence
from payment as p
join member as m using (record)
join household as h on h.household = m.household
join rule_setting as s using (county_code, township_code)
where m.list = 'roster' and s.rule = 'F01' and s.name = 'exempt_posts' and not list_contains(s.texts, p.post_kind)
group by m.household, m.record
having sum(p.gross_pay) > 0;
