-- security_asset: market value and cash of each record's securities accounts.
-- Grain   one row per record with a countable account. Unit: 10^-14 yuan.
-- Reads   reach_securities, fx            Feeds  household_position
-- Rules   as bank_asset; an account is (broker_code, account_no); negative cash counts as 0.
create or replace table security_asset as
with dated as (
    select
        record,
        broker_code,
        account_no,
        currency,
        as_of,
        market_value::hugeint + greatest(cash_balance, 0) as amount,
        max(as_of) over (partition by record, broker_code, account_no) as latest
    from reach_securities
    where how = 'exact'
),
counted as (
    select
        record,
        broker_code,
        account_no,
        max(amount) * any_value(fx.rate8) as amount14
    from dated
    join fx using (currency)
    where as_of = latest and latest >= $as_of - $evidence_max_age_days::integer
    group by record, broker_code, account_no, currency
)
select
    record,
    sum(amount14)::hugeint as amount14,
    count(distinct (broker_code, account_no)) as accounts
from counted
group by record;
