-- newly_eligible: the first rule that fits each household, and the single members covered beside it.
-- Grain   one row per lead. Lines in hundredths of a yuan per person (and month for incomes).
-- Reads   candidate, member            Feeds  publish
-- Rules   N05, N01, N02 (+ N03), N04, N06; N00 alone without authorisation; U01, U02 (spec section 4).
create or replace table newly_eligible as
with judged as (
    select
        *,
        case
            when list = 'monitored' and stage = 'unauthorised' then
                case when is_declared_below_margin or (is_declared_below_rigid and is_rigid_declared) then 'N00' end
            when stage <> 'open' then null
            when list = 'monitored' then
                case
                    when n = 1 and has_tekun_ground and not has_obligor and is_below_tekun and has_tekun_property then 'N05'
                    when is_below_dibao and has_dibao_property then 'N01'
                    when is_below_margin and has_margin_property then 'N02'
                    when is_below_rigid and has_rigid_property and is_rigid then 'N04'
                    when is_below_margin and margin_limit14 is not null then 'N06'
                end
            when is_below_dibao and has_dibao_property then 'U01'
            when programme = '低保边缘' and is_below_margin and has_margin_property then 'U02'
        end as rule
    from candidate
),
lined as (
    select
        *,
        case
            when rule in ('N05') then tekun_line12
            when rule in ('N01', 'U01') then dibao_line12
            when rule = 'N04' or (rule = 'N00' and is_declared_below_margin is not true) then rigid_line12
            else margin_line12
        end as line12,
        case
            when rule = 'N05' then tekun_limit14
            when rule in ('N01', 'U01') then dibao_limit14
            when rule = 'N04' then rigid_limit14
            when rule = 'N00' then null
            else margin_limit14
        end as limit14
    from judged
    where rule is not null
),
spread as (
    select * exclude (rule), rule, null::integer as record
    from lined
    where rule <> 'U02'

    union all by name

    select l.* exclude (rule), case l.rule when 'N02' then 'N03' else 'U02' end as rule, m.record
    from lined as l
    join member as m using (household)
    where l.rule in ('N02', 'U02') and m.is_severe and not m.has_death_row and $registration_usable
)
select
    household,
    record,
    rule,
    n::integer as members,
    case when rule = 'N00' then declared_cents else income_cents end as value_cents,
    round_half_up(line12::hugeint * 100, 12000000000000) as line_cents,
    case when rule = 'N00' then null else assets_cents end as assets_cents,
    round_half_up(limit14::hugeint * 100, 100000000000000) as asset_line_cents,
    case list
        when 'monitored' then '监测系统登记家庭年人均纯收入'
            || yuan(round_half_up(declared_annual_income_per_capita::hugeint * 100, 1000000)) || '元'
        else '申报家庭月收入' || yuan(round_half_up(declared_monthly_income::hugeint * 100, 1000000)) || '元'
    end || case
        when rule = 'N00' then '；有' || members_unauthorised || '名成员未授权，未查询其收入和财产。'
        else '；税务申报' || strftime($window_start, '%Y-%m') || '至' || strftime($window_end, '%Y-%m') || '全家平均每月'
            || yuan(round_half_up(income_micro * 100, $window * 1000000)) || '元；金融资产人均' || yuan(assets_cents) || '元'
            || case when business_cases > 0 then '；有' || business_cases || '名成员任职或出资存续企业' else '' end
            || case when property_cases > 0 then '；' || property_evidence else '' end
            || case when rule = 'N04' then '；年刚性支出' || yuan(round_half_up(rigid_expenditure_12m::hugeint * 100, 1000000)) || '元' else '' end
            || '。'
    end as evidence
from spread;
