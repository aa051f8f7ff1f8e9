-- unauthorised_household: which sources some accepted member of a household has no valid authorisation for.
-- Grain   one row per list and household_id with such a member, also of households that are not looked at tonight.
-- Reads   member_judged, monitored_judged, authorised            Feeds  lead_state
create or replace table unauthorised_household as
with member as (
    select 'roster' as list, household_id, hi, lo from member_judged where mask = 0 and role = '成员'
    union all
    select 'monitored' as list, household_id, hi, lo from monitored_judged where mask = 0
),
lacking as (
    select m.list, m.household_id, $every_scope::ubigint & ~coalesce(a.scopes, 0::ubigint) as scopes_missing
    from member as m
    left join authorised as a using (hi, lo)
)
select list, household_id, bit_or(scopes_missing) as scopes_missing
from lacking
where scopes_missing <> 0
group by list, household_id;
