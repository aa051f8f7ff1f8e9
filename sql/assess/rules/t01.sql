-- t01 学业已结束: an adult of working age without disability left school longer ago than the county's grace, and not so
-- long ago that the last yearly checks must have dealt with it. Value: 1.
create or replace table t01 as
with study as (
    select record, max(left_on) as left_on
    from reach_education
    where how = 'exact' and enrolled_on <= $as_of
    group by record
    having bool_and(enrolment_state in ('毕业', '退学') and left_on <= $as_of)
),
setting as (
    select
        county_code,
        township_code,
        (max(value_micro) filter (name = 'grace_months') // 1000000)::integer as grace_months,
        (max(value_micro) filter (name = 'look_back_months') // 1000000)::integer as look_back_months
    from rule_setting
    where rule = 'T01'
    group by county_code, township_code
)
select
    m.household,
    m.record,
    100 as value_cents,
    0 as line_cents,
    '学籍记录显示该成员于' || strftime(e.left_on, '%Y年%m月%d日') || '毕业或退学，已不在校，名册未见相应变化。' as evidence
from study as e
join member as m using (record)
join household as h on h.household = m.household
join setting as s using (county_code, township_code)
where m.list = 'roster' and h.programme in ('低保', '低保边缘') and m.age between 18 and 59
    and m.disability_grade is null and not m.is_severe
    and (e.left_on + to_months(s.grace_months))::date <= $as_of
    and (e.left_on + to_months(s.look_back_months))::date > $as_of;
