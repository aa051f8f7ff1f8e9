-- p01 商业保险缴费过高: yearly premiums above a multiple of the household's yearly standard.
create or replace table p01 as
select
    p.household,
    null::integer as record,
    round_half_up(p.premium_micro * 100, 1000000) as value_cents,
    round_half_up($premium_multiple6::hugeint * 12 * s.standard_micro * p.n * 100, 1000000000000) as line_cents,
    '有现金价值的有效保单' || p.policies || '份，年缴保费合计' || yuan(round_half_up(p.premium_micro * 100, 1000000))
        || '元，高于全家年低保标准的规定倍数'
        || yuan(round_half_up($premium_multiple6::hugeint * 12 * s.standard_micro * p.n * 100, 1000000000000)) || '元。' as evidence
from household_position as p
join standard as s using (county_code, township_code, area)
where p.list = 'roster' and p.programme in ('低保', '低保边缘') and p.n > 0 and not p.is_incomplete
    and p.premium_micro > 0
    and p.premium_micro * 1000000 > $premium_multiple6::hugeint * 12 * s.standard_micro * p.n;
