-- l02 养老金未申报: pensions received exceed the declared income by more than the tolerance (month, household).
-- Rules   the basic part of the residents' pension does not count while the policy says so (民发〔2021〕57号 art. 13).
create or replace table l02 as
with entry as (
    select
        record,
        row_digest,
        any_value(amount) as amount,
        any_value(coalesce(basic_part, 0) * sign(amount)) as basic_part
    from reach_social_insurance
    where how = 'exact' and entry_kind = '待遇' and insured_month between $window_start and $window_end
        and scheme in ('企业职工基本养老保险', '机关事业单位基本养老保险', '城乡居民基本养老保险')
    group by record, row_digest
),
pension as (
    select
        p.household,
        any_value(p.declared_monthly_income)::hugeint as declared_micro,
        m.record,
        greatest(sum(e.amount - case when s.value_micro > 0 then e.basic_part else 0 end), 0)::hugeint as pension_micro
    from entry as e
    join member as m using (record)
    join household_position as p on p.household = m.household
    join rule_setting as s using (county_code, township_code)
    where m.list = 'roster' and p.programme = '低保' and s.rule = 'L02' and s.name = 'basic_part_exempt'
    group by p.household, m.record
),
received as (
    select household, any_value(declared_micro) as declared_micro, sum(pension_micro)::hugeint as pension_micro
    from pension
    group by household
)
select
    household,
    null::integer as record,
    round_half_up((pension_micro - declared_micro * $window) * 100, $window * 1000000) as value_cents,
    round_half_up($undeclared_income_tolerance::hugeint * 100, 1000000) as line_cents,
    '申报家庭月收入' || yuan(round_half_up(declared_micro * 100, 1000000)) || '元；养老保险待遇'
        || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m') || '平均每月'
        || yuan(round_half_up(pension_micro * 100, $window * 1000000)) || '元（不含豁免的基础养老金）。' as evidence
from received
where pension_micro - declared_micro * $window > $undeclared_income_tolerance::hugeint * $window;
