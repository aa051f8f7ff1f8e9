-- i02 收入未申报: verified household income exceeds the declared one by more than the tolerance (month, household).
create or replace table i02 as
select
    p.household,
    null::integer as record,
    round_half_up((p.income_micro - p.declared_monthly_income::hugeint * $window) * 100, $window * 1000000) as value_cents,
    round_half_up($undeclared_income_tolerance::hugeint * 100, 1000000) as line_cents,
    '申报家庭月收入' || yuan(round_half_up(p.declared_monthly_income::hugeint * 100, 1000000)) || '元；税务申报显示'
        || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m') || '平均每月'
        || yuan(round_half_up(p.income_micro * 100, $window * 1000000)) || '元。' as evidence
from household_position as p
where p.list = 'roster' and p.programme = '低保' and p.n > 0 and $tax_comparable
    and p.income_micro - p.declared_monthly_income::hugeint * $window > $undeclared_income_tolerance::hugeint * $window;
