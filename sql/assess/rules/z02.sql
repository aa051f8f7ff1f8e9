-- z02 一个账户发放多户: within the income window or since, an account without a keeper's agreement received the benefit of
-- several households. Value: number of households.
create or replace table z02 as
with payment as (
    select
        b.account_no,
        b.paid_household,
        max(m.household) filter (h.household_id = b.paid_household and h.list = 'roster') as household,
        bool_and(b.keeper_agreement = '无') as has_no_keeper
    from reach_benefit_payments as b
    join member as m using (record)
    join household as h on h.household = m.household
    where b.how = 'exact' and b.party = '受助人' and b.payment_state = '成功' and b.benefit_month >= $window_start
        and b.paid_on <= $as_of
    group by b.account_no, b.paid_household
),
shared as (
    select account_no, count(*) as households
    from payment
    group by account_no
    having count(*) > 1
)
select
    p.household,
    null::integer as record,
    max(s.households) * 100 as value_cents,
    100 as line_cents,
    '有' || count(*) || '个收款账户同时发放' || max(s.households) || '户的救助金，本户没有代管协议备案。' as evidence
from payment as p
join shared as s using (account_no)
where p.household is not null and p.has_no_keeper
group by p.household;
