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
        coalesce(sum(s.amount14), 0)::hugeint as security14,
        coalesce(sum(p.amount14), 0)::hugeint as policy14,
        coalesce(sum(p.premium_micro), 0)::hugeint as premium_micro,
        coalesce(sum(b.accounts), 0)::integer as bank_accounts,
        coalesce(sum(s.accounts), 0)::integer as security_accounts,
        coalesce(sum(p.policies), 0)::integer as policies,
        coalesce(max(i.months), 0)::integer as income_months,
        count(c.record) as business_cases,
        count(*) filter (m.scopes_missing > 0) as members_unauthorised
    from member as m
    left join income as i using (record)
    left join bank_asset as b using (record)
    left join security_asset as s using (record)
    left join policy_asset as p using (record)
    left join business_case as c using (record)
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
    coalesce(t.security14, 0)::hugeint as security14,
    coalesce(t.policy14, 0)::hugeint as policy14,
    (coalesce(t.bank14, 0) + coalesce(t.security14, 0) + coalesce(t.policy14, 0))::hugeint as assets14,
    coalesce(t.premium_micro, 0)::hugeint as premium_micro,
    coalesce(t.bank_accounts, 0) as bank_accounts,
    coalesce(t.security_accounts, 0) as security_accounts,
    coalesce(t.policies, 0) as policies,
    coalesce(t.income_months, 0) as income_months,
    coalesce(t.business_cases, 0) as business_cases,
    coalesce(o.property_cases, 0) as property_cases,
    coalesce(o.property_evidence, '') as property_evidence,
    coalesce(t.members_unauthorised, 0) as members_unauthorised,
    h.rows_quarantined > 0 as is_incomplete
from household as h
left join totals as t using (household)
left join owned as o using (household);
