-- u04 单人保（重特大疾病）: a member treated for a severe illness, though the roster record does not say so.
create or replace table u04 as
with severe as (
    select record, max(settled_on) as told
    from reach_medical_expenditure
    where how = 'exact' and severe_illness = '是' and settled_on <= $as_of and settled_on > ($as_of - interval 12 month)::date
    group by record
)
select
    c.household,
    m.record,
    c.n::integer as members,
    c.income_cents as value_cents,
    round_half_up(c.margin_line12::hugeint * 100, 12000000000000) as line_cents,
    c.assets_cents,
    round_half_up(c.margin_limit14::hugeint * 100, 100000000000000) as asset_line_cents,
    '医保结算记录显示' || strftime(s.told, '%Y年%m月%d日') || '有重特大疾病就医，名册未登记；家庭人均月收入' || yuan(c.income_cents) || '元，金融资产人均'
        || yuan(c.assets_cents) || '元。' as evidence
from candidate as c
join member as m using (household)
join severe as s on s.record = m.record
where c.list = 'roster' and c.programme = '低保边缘' and c.stage = 'open' and c.is_below_margin and c.has_margin_property
    and c.household not in (select household from newly_lead where rule = 'U01')
    and not m.is_severe and not m.has_death_row;
