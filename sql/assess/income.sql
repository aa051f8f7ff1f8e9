-- income: verified income of each record over the window.
-- Grain   one row per record with a countable amount.
-- Reads   reach_tax            Feeds  household_position, s01
-- Rules   countable items, months of the window, equal rows once, at least 0 per person (spec section 4).
create or replace table income as
with countable as (
    select record, amount
    from reach_tax
    where not is_repeated and how = 'exact' and tax_month between $window_start and $window_end
        and list_contains($countable_income_items, income_item)

    union all

    select record, any_value(amount) as amount
    from reach_tax
    where is_repeated and how = 'exact' and tax_month between $window_start and $window_end
        and list_contains($countable_income_items, income_item)
    group by record, row_digest
)
select record, greatest(sum(amount), 0)::hugeint as income_micro
from countable
group by record;
