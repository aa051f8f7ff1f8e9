-- k01 近亲属未备案: a close relative of staff or of a village or residents' committee member without a filing. Value: number
-- of relations.
create or replace table k01 as
select
    m.household,
    m.record,
    count(distinct (c.staff_no, c.kinship)) * 100 as value_cents,
    0 as line_cents,
    '登记簿显示该成员是' || string_agg(distinct c.staff_kind, '、' order by c.staff_kind) || '的近亲属（'
        || string_agg(distinct c.kinship, '、' order by c.kinship) || '），尚无备案记录。' as evidence
from reach_close_relatives as c
join member as m using (record)
join household as h on h.household = m.household
join rule_setting as s using (county_code, township_code)
where m.list = 'roster' and c.how = 'exact' and s.rule = 'K01' and s.name = 'close_kinships'
    and list_contains(s.texts, c.kinship) and c.known_on <= $as_of
    and not coalesce(c.filed_on <= $as_of, false) and not coalesce(c.ended_on <= $as_of, false)
group by m.household, m.record;
