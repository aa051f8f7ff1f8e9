-- bank_asset: what each record holds at banks.
-- Grain   one row per record with a countable account. Unit: 10^-14 yuan.
-- Reads   latest_banks, fx            Feeds  household_position
-- Rules   per account only rows of its latest date, when that is recent; the largest amount per type and currency,
--         summed; an overdraft is no asset (spec sections 2 and 4). A row that stands is the largest of its own.
create or replace table bank_asset as
-- Day and amount in one number: the largest is the largest amount of the latest day.
with holding as (
    select
        record,
        bank_code,
        account_no,
        account_type,
        currency,
        max((date_diff('day', date '0001-01-01', balance_date)::hugeint << 64) + greatest(balance, 0)) as latest
    from latest_banks
    where not stands and balance_date >= $as_of - $evidence_max_age_days::integer
    group by record, bank_code, account_no, account_type, currency
),
counted as (
    select
        h.record,
        h.latest >> 64 as day,
        (h.latest & 18446744073709551615::hugeint) * fx.rate8 as amount14,
        first_value(h.latest >> 64) over account as latest_day,
        row_number() over account = 1 as is_first
    from holding as h
    join fx using (currency)
    window account as (partition by h.record, h.bank_code, h.account_no order by h.latest desc)
),
standing as (
    select record, amount14, is_first
    from counted
    where day = latest_day

    union all

    select b.record, greatest(b.balance, 0)::hugeint * fx.rate8 as amount14, b.is_first
    from latest_banks as b
    join fx using (currency)
    where b.stands and b.balance_date >= $as_of - $evidence_max_age_days::integer
)
select
    record,
    sum(amount14)::hugeint as amount14,
    count(*) filter (is_first) as accounts
from standing
group by record;
