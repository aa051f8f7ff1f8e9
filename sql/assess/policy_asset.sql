-- policy_asset: cash value and premium of each record's insurance policies in force with a cash value.
-- Grain   one row per record with such a policy. Units: cash 10^-14 yuan, premium millionths of a yuan a year.
-- Reads   reach_insurance            Feeds  household_position
-- Rules   in force: 有效, begun and not expired at the as-of date; per policy the largest cash value and premium.
create or replace table policy_asset as
with in_force as (
    select
        record,
        insurer_code,
        policy_no,
        max(cash_value)::hugeint as cash_micro,
        max(annual_premium)::hugeint as premium_micro
    from reach_insurance
    where how = 'exact' and status = '有效' and effective_on <= $as_of
        and (expires_on is null or expires_on >= $as_of) and list_contains($asset_products, product_type)
    group by record, insurer_code, policy_no
)
select
    record,
    (sum(cash_micro) * 100000000)::hugeint as amount14,
    sum(premium_micro)::hugeint as premium_micro,
    count(*) as policies
from in_force
group by record;
