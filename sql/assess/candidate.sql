-- candidate: monitored households against every line they could fall under.
-- Grain   one row per candidate household; stage says what may be evaluated (in this order, spec section 4):
--         withheld (incomplete), unauthorised (N00 only), withheld (a source held or tax not comparable; also vehicles or
--         real estate, when they are connected and held), open.
-- Reads   household_position, threshold, member, tekun_disability            Feeds  newly_eligible
create or replace table candidate as
with lined as (
    select
        p.household,
        p.list,
        p.programme,
        p.n,
        p.has_obligor,
        p.is_incomplete,
        p.members_unauthorised,
        p.declared_monthly_income,
        p.declared_annual_income_per_capita,
        p.rigid_expenditure_12m,
        p.income_micro,
        p.assets14,
        p.business_cases,
        p.property_cases,
        p.property_evidence,
        d.entry_line12 as dibao_line12,
        d.asset_limit14 as dibao_limit14,
        k.entry_line12 as tekun_line12,
        k.asset_limit14 as tekun_limit14,
        e.entry_line12 as margin_line12,
        e.asset_limit14 as margin_limit14,
        x.entry_line12 as rigid_line12,
        x.asset_limit14 as rigid_limit14
    from household_position as p
    left join threshold as d
        on d.programme = '低保' and (d.county_code, d.township_code, d.area) = (p.county_code, p.township_code, p.area)
    left join threshold as k
        on k.programme = '特困' and (k.county_code, k.township_code, k.area) = (p.county_code, p.township_code, p.area)
    left join threshold as e
        on e.programme = '低保边缘' and (e.county_code, e.township_code, e.area) = (p.county_code, p.township_code, p.area)
    left join threshold as x
        on x.programme = '刚性支出' and (x.county_code, x.township_code, x.area) = (p.county_code, p.township_code, p.area)
    where p.n > 0 and (p.list = 'monitored' or p.programme in ('低保边缘', '刚性支出'))
),
-- The yearly income of the household in millionths, declared and verified: both must lie below a line.
incomes as (
    select
        *,
        case list
            when 'monitored' then declared_annual_income_per_capita::hugeint * n
            else declared_monthly_income::hugeint * 12
        end as declared_year_micro
    from lined
),
person as (
    select
        m.household,
        bool_or(m.age >= 60 or m.age < 16 or d.category is not null) as has_tekun_ground
    from member as m
    join household_position as p using (household)
    left join tekun_disability as d
        on d.category = m.disability_category and m.disability_grade::integer <= d.max_grade
    where p.list = 'monitored'
    group by m.household
)
select
    i.*,
    coalesce(q.has_tekun_ground, false) as has_tekun_ground,
    case
        when i.is_incomplete then 'withheld'
        when i.members_unauthorised > 0 then 'unauthorised'
        when not $five_usable or not $tax_comparable or $property_held then 'withheld'
        else 'open'
    end as stage,
    greatest(
        round_half_up(i.declared_year_micro * 100, 12000000 * i.n),
        round_half_up(i.income_micro * 100, $window * i.n * 1000000)
    ) as income_cents,
    round_half_up(i.declared_year_micro * 100, 12000000 * i.n) as declared_cents,
    round_half_up(i.assets14 * 100, i.n * 100000000000000) as assets_cents,
    i.declared_year_micro * 1000000 < i.dibao_line12 * i.n
        and i.income_micro * 12000000 < i.dibao_line12 * i.n * $window as is_below_dibao,
    i.declared_year_micro * 1000000 < i.tekun_line12 * i.n
        and i.income_micro * 12000000 < i.tekun_line12 * i.n * $window as is_below_tekun,
    i.declared_year_micro * 1000000 < i.margin_line12 * i.n
        and i.income_micro * 12000000 < i.margin_line12 * i.n * $window as is_below_margin,
    i.declared_year_micro * 1000000 < i.rigid_line12 * i.n
        and i.income_micro * 12000000 < i.rigid_line12 * i.n * $window as is_below_rigid,
    i.declared_year_micro * 1000000 < i.margin_line12 * i.n as is_declared_below_margin,
    i.declared_year_micro * 1000000 < i.rigid_line12 * i.n as is_declared_below_rigid,
    i.business_cases = 0 and i.property_cases = 0 and i.assets14 <= i.dibao_limit14::hugeint * i.n as has_dibao_property,
    i.business_cases = 0 and i.property_cases = 0 and i.assets14 <= i.tekun_limit14::hugeint * i.n as has_tekun_property,
    i.business_cases = 0 and i.property_cases = 0 and i.assets14 <= i.margin_limit14::hugeint * i.n as has_margin_property,
    i.business_cases = 0 and i.property_cases = 0 and i.assets14 <= i.rigid_limit14::hugeint * i.n as has_rigid_property,
    i.rigid_expenditure_12m > 0
        and i.rigid_expenditure_12m::hugeint * 1000000 >= $rigid_share6::hugeint * i.declared_year_micro as is_rigid_declared,
    i.rigid_expenditure_12m > 0
        and i.rigid_expenditure_12m::hugeint * 1000000 >= $rigid_share6::hugeint * i.declared_year_micro
        and i.rigid_expenditure_12m::hugeint * 1000000 * $window >= $rigid_share6::hugeint * 12 * i.income_micro as is_rigid
from incomes as i
left join person as q using (household);
