-- r01 两套以上住房: more homes than the policy allows. Value: number of homes.
create or replace table r01 as
select
    c.household,
    null::integer as record,
    c.value_cents,
    c.line_cents,
    c.evidence || '。' as evidence
from real_estate_case as c
join household as h using (household)
where c.rule = 'R01' and h.list = 'roster';
