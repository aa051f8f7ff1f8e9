-- f03 住房公积金余额较大: balances per account of its latest date above the county's threshold. Value: yuan.
create or replace table f03 as
with dated as (
    select
        record,
        account_no,
        balance_date,
        balance,
        max(balance_date) over (partition by record, account_no) as latest
    from reach_housing_fund
    where how = 'exact' and account_state <> '销户'
),
account as (
    select record, account_no, max(balance) as balance
    from dated
    where balance_date = latest and latest >= $as_of - $evidence_max_age_days::integer
    group by record, account_no
)
select
    m.household,
    m.record,
    round_half_up(sum(a.balance)::hugeint * 100, 1000000) as value_cents,
    round_half_up(any_value(s.value_micro)::hugeint * 100, 1000000) as line_cents,
    '住房公积金账户' || count(*) || '个，余额合计' || yuan(round_half_up(sum(a.balance)::hugeint * 100, 1000000))
        || '元，高于当地参照线' || yuan(round_half_up(any_value(s.value_micro)::hugeint * 100, 1000000)) || '元。' as evidence
from account as a
join member as m using (record)
join household as h on h.household = m.household
join rule_setting as s using (county_code, township_code)
where m.list = 'roster' and h.programme in ('低保', '特困', '低保边缘') and s.rule = 'F03' and s.name = 'balance_threshold'
group by m.household, m.record
having sum(a.balance) > any_value(s.value_micro);
