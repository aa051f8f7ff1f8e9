-- bank_asset: what each record holds at banks.
-- Grain   one row per record with a countable account. Unit: 10^-14 yuan.
-- Reads   reach_banks, fx            Feeds  household_position
-- Rules   per account only rows of its latest date, when that is recent; the largest amount per type and currency,
--         summed; an overdraft is no asset (spec sections 2 and 4).
create or replace table bank_asset as
with dated as (
    select
        record,
        bank_code,
        account_no,
        account_type,
        currency,
        balance_date,
        greatest(balance, 0) as amount,
        max(balance_date) over (partition by record, bank_code, account_no) as latest
    from reach_banks
    where how = 'exact'
),
counted as (
    select
        record,
        bank_code,
        account_no,
        max(amount)::hugeint * any_value(fx.rate8) as amount14
    from dated
    join fx using (currency)
    where balance_date = latest and latest >= $as_of - $evidence_max_age_days::integer
    group by record, bank_code, account_no, account_type, currency
)
select
    record,
    sum(amount14)::hugeint as amount14,
    count(distinct (bank_code, account_no)) as accounts
from counted
group by record;
