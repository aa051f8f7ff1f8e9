-- real_estate_case: households with real estate that the property test does not allow.
-- Grain   one row per household and rule (R01 homes, R02 property that is no home).
-- Reads   reach_real_estate, member, household, rule_setting            Feeds  property_case, r01, r02
-- Rules   a unit counts once in a household, by its unit number, with the members' shares added up; only titles in
--         force. Homes of an uncounted structure (mud-brick, ancestral) or danger grade do not count; nor does a unit
--         of which the household holds less than the least share. Several homes whose area per person is within the
--         small area of the policy are allowed. A household with an unread member is not judged on R01: it might be
--         larger than it looks.
create or replace table real_estate_case as
with title as (
    select
        m.household,
        e.unit_no,
        e.record,
        min(e.property_use) as property_use,
        min(e.structure) as structure,
        max(e.danger_grade) as danger_grade,
        max(e.floor_area) as floor_area,
        max(case when e.ownership = '按份共有' then coalesce(e.share_percent, 100000000) else 100000000 end) as share_micro
    from reach_real_estate as e
    join member as m using (record)
    where e.how = 'exact' and e.title_state = '现势' and e.registered_on <= $as_of
        and (e.ended_on is null or e.ended_on > $as_of)
    group by m.household, e.unit_no, e.record
),
unit as (
    select
        household,
        unit_no,
        min(property_use) as property_use,
        min(structure) as structure,
        max(danger_grade) as danger_grade,
        max(floor_area) as floor_area,
        least(sum(share_micro), 100000000) as share_micro
    from title
    group by household, unit_no
),
setting as (
    select
        county_code,
        township_code,
        max(value_micro) filter (rule = 'R01' and name = 'max_homes') as max_homes_micro,
        max(texts) filter (rule = 'R01' and name = 'uncounted_structures') as uncounted_structures,
        max(texts) filter (rule = 'R01' and name = 'uncounted_danger_grades') as uncounted_danger_grades,
        max(value_micro) filter (rule = 'R01' and name = 'least_share_percent') as least_home_share_micro,
        max(value_micro) filter (rule = 'R01' and name = 'small_area_per_person') as small_area_micro,
        max(texts) filter (rule = 'R02' and name = 'forbidden_uses') as forbidden_uses,
        max(value_micro) filter (rule = 'R02' and name = 'least_share_percent') as least_other_share_micro
    from rule_setting
    where rule in ('R01', 'R02')
    group by county_code, township_code
),
placed as (
    select u.*, s.* exclude (county_code, township_code), z.n, h.rows_quarantined > 0 as is_incomplete
    from unit as u
    join household as h using (household)
    join setting as s using (county_code, township_code)
    join (select household, count(*) as n from member group by household) as z using (household)
),
homes as (
    select
        household,
        count(*) as homes,
        sum(floor_area)::hugeint as area_micro,
        any_value(n) as n,
        any_value(max_homes_micro) as max_homes_micro,
        any_value(small_area_micro) as small_area_micro
    from placed
    where property_use = '住宅' and max_homes_micro is not null and not is_incomplete
        and not list_contains(uncounted_structures, structure)
        and not coalesce(list_contains(uncounted_danger_grades, danger_grade), false)
        and share_micro >= least_home_share_micro
    group by household
)
select
    household,
    'R01' as rule,
    homes * 100 as value_cents,
    round_half_up(max_homes_micro * 100, 1000000) as line_cents,
    '登记有住宅' || homes || '套（已除去不计的土木结构房屋和危房），建筑面积合计'
        || yuan(round_half_up(area_micro * 100, 1000000)) || '平方米' as evidence
from homes
where homes * 1000000 > max_homes_micro
    and not (small_area_micro > 0 and area_micro <= small_area_micro::hugeint * n)

union all

select
    household,
    'R02' as rule,
    count(*) * 100 as value_cents,
    0 as line_cents,
    '登记有非住宅不动产' || count(*) || '处：' || string_agg(distinct property_use, '、' order by property_use) as evidence
from placed
where list_contains(forbidden_uses, property_use) and share_micro >= least_other_share_micro
group by household;
