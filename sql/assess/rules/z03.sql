-- z03 收款账户持有人不是家庭成员: within the income window or since, an account without a keeper's agreement of which no
-- holder's record reaches anybody of the household. Value: number of accounts.
-- Rules   a household with an unread member or a number nobody can be found by is not judged: the holder might be there.
create or replace table z03 as
with paid as (
    select m.household, b.account_no
    from reach_benefit_payments as b
    join member as m using (record)
    join household_position as p on p.household = m.household
    where b.how = 'exact' and b.party = '受助人' and b.payment_state = '成功' and b.benefit_month >= $window_start
        and b.paid_on <= $as_of and p.list = 'roster' and p.household_id = b.paid_household and not p.is_incomplete
    group by m.household, b.account_no
    having bool_and(b.keeper_agreement = '无')
),
held as (
    select distinct k.household, b.account_no
    from reach_benefit_payments as b
    join record as k using (record)
    where b.party = '账户持有人'
)
select
    p.household,
    null::integer as record,
    count(*) * 100 as value_cents,
    0 as line_cents,
    '救助金发放到' || count(*) || '个账户，账户持有人的记录中没有本户成员，也没有代管协议备案。' as evidence
from paid as p
anti join held as h on h.household = p.household and h.account_no = p.account_no
where p.household not in (select household from record where not is_valid)
group by p.household;
