-- lead_state: tonight's leads against the latest published night before.
-- Grain   one row per lead on tonight's list: tonight's (tonight), with the earlier one it goes on from (before), and
--         those of the night before that are gone (before alone).
-- Reads   tonight, before (leads of the night before that were present), rule_need, unauthorised_household, authorised,
--         incomplete            Feeds  the published lists
-- Rules   new, continuing, changed; gone: unverified when a source the rule needs was not usable, when the person
--         (household rules: any member) lacked an authorisation for it, or when the household was incomplete,
--         otherwise cleared. partial rules (A01, A02, X02, X03) keep a value that fell while a source was held (spec section 4).
--         A lead is the same one when rule, household and person are; household rules have no person.
create or replace table lead_state as
with found as (
    select
        t.tonight,
        b.before,
        t.value_cents = b.value_cents as is_same,
        coalesce(t.value_cents < b.value_cents and n.is_held and n.is_partial, false) as keeps_value
    from tonight as t
    join rule_need as n on n.rule = t.rule
    left join before as b
        on b.rule = t.rule and b.household_id = t.household_id
        and b.hi is not distinct from t.hi and b.lo is not distinct from t.lo
),
gone as (
    select b.*
    from before as b
    where not exists (
        select 1
        from tonight as t
        where t.rule = b.rule and t.household_id = b.household_id
            and t.hi is not distinct from b.hi and t.lo is not distinct from b.lo
    )
),
allowed as ( -- of few among millions
    select a.hi, a.lo, a.scopes
    from authorised as a
    where exists (select 1 from gone as g where g.hi = a.hi and g.lo = a.lo)
)
select
    tonight,
    before,
    case
        when before is null then 'new'
        when is_same or keeps_value then 'continuing'
        else 'changed'
    end as state,
    keeps_value
from found

union all

select
    null as tonight,
    g.before,
    case
        when n.is_held or n.is_not_comparable then 'unverified'
        when n.is_person_rule and n.scopes & ~coalesce(a.scopes, 0::ubigint) <> 0 then 'unverified'
        when not n.is_person_rule and n.scopes & coalesce(s.scopes_missing, 0::ubigint) <> 0 then 'unverified'
        when i.household_id is not null then 'unverified'
        else 'cleared'
    end as state,
    false as keeps_value
from gone as g
join rule_need as n on n.rule = g.rule
left join allowed as a on a.hi = g.hi and a.lo = g.lo
left join unauthorised_household as s on s.household_id = g.household_id and s.list = n.household_list
left join incomplete as i on i.household_id = g.household_id and i.list = n.household_list;
