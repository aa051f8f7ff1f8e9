-- vehicle_case: households with motor vehicles that the property test does not allow.
-- Grain   one row per household and rule (V01, or V02 for a livelihood vehicle above the local limit).
-- Reads   reach_vehicles, member, household, standard, rule_setting            Feeds  property_case, v01, v02
-- Rules   counted is every vehicle (by its VIN) that is neither deregistered nor scrapped and not of an exempt kind.
--         The one vehicle of a household, small and registered for a trade, is its livelihood where the policy has
--         such uses (Guangdong from 2026-01-01); a county that has published a limit may turn V02 on. A vehicle
--         nobody has valued is never above the limit.
create or replace table vehicle_case as
with vehicle as (
    select
        m.household,
        v.vin,
        arg_max(v.use_nature, (v.held_since, v.use_nature)) as use_nature,
        arg_max(v.plate_kind, (v.held_since, v.plate_kind)) as plate_kind,
        arg_max(v.vehicle_kind, (v.held_since, v.vehicle_kind)) as vehicle_kind,
        min(v.assessed_value) as assessed_value
    from reach_vehicles as v
    join member as m using (record)
    where v.how = 'exact' and v.vehicle_state not in ('注销', '达到报废标准') and v.held_since <= $as_of
    group by m.household, v.vin
),
setting as (
    select
        county_code,
        township_code,
        max(texts) filter (rule = 'V01' and name = 'exempt_kinds') as exempt_kinds,
        max(texts) filter (rule = 'V01' and name = 'livelihood_uses') as livelihood_uses,
        max(texts) filter (rule = 'V01' and name = 'livelihood_plates') as livelihood_plates,
        max(value_micro) filter (rule = 'V02' and name = 'annual_standards') as annual_standards_micro
    from rule_setting
    where rule in ('V01', 'V02')
    group by county_code, township_code
),
owned as (
    select
        h.household,
        count(*) as vehicles,
        string_agg(v.vehicle_kind || '（' || v.use_nature || '）', '、' order by v.vehicle_kind, v.use_nature) as kinds,
        count(*) = 1 and bool_and(
            list_contains(s.livelihood_uses, v.use_nature) and list_contains(s.livelihood_plates, v.plate_kind)
        ) as is_livelihood,
        any_value(v.assessed_value) as assessed_value,
        any_value(s.annual_standards_micro) as annual_standards_micro,
        any_value(d.standard_micro) as standard_micro
    from vehicle as v
    join household as h using (household)
    join setting as s using (county_code, township_code)
    left join standard as d using (county_code, township_code, area)
    where s.exempt_kinds is not null and not list_contains(s.exempt_kinds, v.vehicle_kind)
    group by h.household
)
select
    household,
    'V01' as rule,
    vehicles * 100 as value_cents,
    0 as line_cents,
    '登记有不属于豁免种类的机动车' || vehicles || '辆：' || kinds as evidence
from owned
where not is_livelihood

union all

select
    household,
    'V02' as rule,
    round_half_up(assessed_value * 100, 1000000) as value_cents,
    round_half_up(annual_standards_micro::hugeint * 12 * standard_micro * 100, 1000000000000) as line_cents,
    '唯一的机动车为小型营运车辆（' || kinds || '），价值' || yuan(round_half_up(assessed_value * 100, 1000000))
        || '元，高于当地谋生车辆限额'
        || yuan(round_half_up(annual_standards_micro::hugeint * 12 * standard_micro * 100, 1000000000000)) || '元' as evidence
from owned
where is_livelihood and assessed_value::hugeint * 1000000 > annual_standards_micro::hugeint * 12 * standard_micro;
