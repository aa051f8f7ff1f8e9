-- n08 单人保（残疾人证）: a member whose certificate in force says severe, though the monitored record does not.
create or replace table n08 as
with severe as (
    select record, arg_max(category || grade, (issued_on, category || grade)) as told
    from reach_disability_certificates
    where how = 'exact' and certificate_state = '有效' and issued_on <= $as_of and coalesce(valid_until >= $as_of, true)
        and (
            list_contains($severe_grades, grade)
            or (list_contains($severe_grades_intellectual_mental, grade) and category in ('智力', '精神'))
        )
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
    '残疾人证登记为' || s.told || '级，监测信息未登记；家庭人均月收入' || yuan(c.income_cents) || '元，金融资产人均'
        || yuan(c.assets_cents) || '元。' as evidence
from candidate as c
join member as m using (household)
join severe as s on s.record = m.record
where c.list = 'monitored' and c.household in (select household from newly_lead where rule = 'N02')
    and not m.is_severe and not m.has_death_row;
