-- f02 住房公积金正常缴存: a normal account paid into within the income window on a base above the Dibao standard.
-- Value: the largest base, yuan a month.
create or replace table f02 as
select
    m.household,
    m.record,
    round_half_up(max(f.deposit_base)::hugeint * 100, 1000000) as value_cents,
    round_half_up(any_value(s.standard_micro)::hugeint * 100, 1000000) as line_cents,
    '住房公积金账户状态正常，最近缴存' || strftime(max(f.last_paid_month), '%Y-%m') || '，月缴存基数'
        || yuan(round_half_up(max(f.deposit_base)::hugeint * 100, 1000000)) || '元，高于当地低保标准'
        || yuan(round_half_up(any_value(s.standard_micro)::hugeint * 100, 1000000)) || '元。' as evidence
from reach_housing_fund as f
join member as m using (record)
join household as h on h.household = m.household
join standard as s using (county_code, township_code, area)
where m.list = 'roster' and h.programme in ('低保', '特困', '低保边缘') and f.how = 'exact' and f.account_state = '正常'
    and f.last_paid_month >= $window_start and f.deposit_base > s.standard_micro
group by m.household, m.record;
