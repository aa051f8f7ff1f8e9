-- n07 刚性支出困难（医保结算）: a monitored household below the line of rigid expenditure whose settled medical bills alone
-- reach the share of its income, though its registered expenditure does not.
-- Rules   self-paid amounts of the twelve months up to the as-of date, per settlement the largest; only kinds of visit
--         the policy counts (刚性支出困难家庭认定办法 art. 5: what is left after every insurance and aid).
create or replace table n07 as
with bill as (
    select m.household, e.record, e.settlement_no, max(e.self_paid) as self_paid
    from reach_medical_expenditure as e
    join member as m using (record)
    join household as h on h.household = m.household
    join rule_setting as s using (county_code, township_code)
    where m.list = 'monitored' and e.how = 'exact' and s.rule = 'N07' and s.name = 'counted_visits'
        and list_contains(s.texts, e.visit_kind)
        and e.settled_on <= $as_of and e.settled_on > ($as_of - interval 12 month)::date
    group by m.household, e.record, e.settlement_no
),
spent as (
    select household, sum(self_paid)::hugeint as self_paid_micro
    from bill
    group by household
)
select
    c.household,
    null::integer as record,
    c.n::integer as members,
    c.income_cents as value_cents,
    round_half_up(c.rigid_line12::hugeint * 100, 12000000000000) as line_cents,
    c.assets_cents,
    round_half_up(c.rigid_limit14::hugeint * 100, 100000000000000) as asset_line_cents,
    '近12个月医保结算后个人自付合计' || yuan(round_half_up(s.self_paid_micro * 100, 1000000)) || '元，人均月收入'
        || yuan(c.income_cents) || '元；监测系统登记的年刚性支出'
        || yuan(round_half_up(c.rigid_expenditure_12m::hugeint * 100, 1000000)) || '元；金融资产人均' || yuan(c.assets_cents) || '元。'
        as evidence
from candidate as c
join spent as s using (household)
where c.list = 'monitored' and c.stage = 'open' and c.is_below_rigid and c.has_rigid_property
    and s.self_paid_micro > 0
    and s.self_paid_micro * 1000000 >= $rigid_share6::hugeint * c.declared_year_micro
    and s.self_paid_micro * 1000000 * $window >= $rigid_share6::hugeint * 12 * c.income_micro
    and c.household not in (select household from newly_lead where rule in ('N01', 'N02', 'N04', 'N05'));
