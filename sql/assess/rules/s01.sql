-- s01 法定义务人有赡养能力: an obligor's own verified income above a multiple of the standard.
create or replace table s01 as
select
    r.household,
    r.record,
    round_half_up(i.income_micro * 100, $window * 1000000) as value_cents,
    round_half_up($obligor_multiple6::hugeint * s.standard_micro * 100, 1000000000000) as line_cents,
    '法定义务人' || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m') || '税务申报收入平均每月'
        || yuan(round_half_up(i.income_micro * 100, $window * 1000000)) || '元，高于当地低保标准的规定倍数'
        || yuan(round_half_up($obligor_multiple6::hugeint * s.standard_micro * 100, 1000000000000)) || '元。' as evidence
from record as r
join household_position as h using (household)
join income as i using (record)
join standard as s using (county_code, township_code, area)
where r.role = 'obligor' and h.list = 'roster' and h.programme in ('低保', '特困') and $tax_comparable
    and i.income_micro * 1000000 > $obligor_multiple6::hugeint * s.standard_micro * $window;
