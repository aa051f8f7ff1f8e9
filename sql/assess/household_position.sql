-- household_position: everything the household rules compare, on exact totals.
-- Grain   one row per household that is looked at.
-- Reads   household, member, income, bank_asset, security_asset, policy_asset, business_case, property_case
-- Feeds   household rules
-- Units   *_micro millionths of a yuan; *14 10^-14 yuan; lines see threshold.
create or replace table household_position as
with totals as (
    select
        m.household,
        count(*) as members,
        coalesce(sum(i.income_micro), 0)::hugeint as income_micro,
        coalesce(sum(b.amount14), 0)::hugeint as bank14,
        coalesce(sum(b.accounts), 0)::integer as bank_accounts,
        count(*) filter (m.scopes_missing > 0) as members_unauthorised
    from member as m
    left join income as i using (record)
    left join bank_asset as b using (record)
    group by m.household
),
-- Few have any of these, so they are added up by themselves.
security as (
    select m.household, sum(s.amount14)::hugeint as security14, sum(s.accounts)::integer as security_accounts
    from security_asset as s
    join member as m using (record)
    group by m.household
),
insured as (
    select
        m.household,
        sum(p.amount14)::hugeint as policy14,
        sum(p.premium_micro)::hugeint as premium_micro,
        sum(p.policies)::integer as policies
    from policy_asset as p
    join member as m using (record)
    group by m.household
),
in_business as (
    select m.household, count(*) as business_cases
    from business_case as c
    join member as m using (record)
    group by m.household
),
owned as (
    select household, count(*)::integer as property_cases, string_agg(evidence, '；' order by rule) as property_evidence
    from property_case
    group by household
)
select
    h.*,
    coalesce(t.members, 0)::hugeint as n,
    coalesce(t.income_micro, 0)::hugeint as income_micro,
    coalesce(t.bank14, 0)::hugeint as bank14,
    coalesce(s.security14, 0)::hugeint as security14,
    coalesce(i.policy14, 0)::hugeint as policy14,
    (coalesce(t.bank14, 0) + coalesce(s.security14, 0) + coalesce(i.policy14, 0))::hugeint as assets14,
    coalesce(i.premium_micro, 0)::hugeint as premium_micro,
    coalesce(t.bank_accounts, 0) as bank_accounts,
    coalesce(s.security_accounts, 0) as security_accounts,
    coalesce(i.policies, 0) as policies,
    coalesce(c.business_cases, 0) as business_cases,
    coalesce(o.property_cases, 0) as property_cases,
    coalesce(o.property_evidence, '') as property_evidence,
    coalesce(t.members_unauthorised, 0) as members_unauthorised,
    h.rows_quarantined > 0 as is_incomplete
from household as h
left join totals as t using (household)
left join security as s using (household)
left join insured as i using (household)
left join in_business as c using (household)
left join owned as o using (household);
