-- i01 收入超标: verified income per capita above the programme's check line plus the tolerance.
create or replace table i01 as
select
    p.household,
    null::integer as record,
    round_half_up(p.income_micro * 100, $window * p.n * 1000000) as value_cents,
    round_half_up(t.check_line12 * 100::hugeint, 12000000000000) as line_cents,
    '税务申报显示全家' || $window || '个月（' || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m')
        || '）收入合计' || yuan(round_half_up(p.income_micro * 100, 1000000)) || '元，' || p.n || '人平均每人每月'
        || yuan(round_half_up(p.income_micro * 100, $window * p.n * 1000000)) || '元，高于核对标准'
        || yuan(round_half_up(t.check_line12 * 100::hugeint, 12000000000000)) || '元。' as evidence
from household_position as p
join threshold as t using (county_code, township_code, area, programme)
where p.list = 'roster' and p.n > 0 and not p.is_incomplete and $tax_comparable and t.check_line12 is not null
    and p.income_micro * 12000000 > (t.check_line12 + $income_tolerance12::hugeint) * p.n * $window;
