-- lead_state: tonight's leads against the latest published night before.
-- Grain   one row per lead on tonight's list: (rule, household_id, person).
-- Reads   tonight, before (leads of the night before that were present), rule_need, unauthorised_household, authorised,
--         incomplete            Feeds  the published lists
-- Rules   new, continuing, changed; gone: unverified when a source the rule needs was not usable, when the person
--         (household rules: any member) lacked an authorisation for it, or when the household was incomplete,
--         otherwise cleared. partial rules (A01, A02, X02, X03) keep a value that fell while a source was held (spec section 4).
create or replace table lead_state as
with paired as (
    select
        coalesce(t.rule, b.rule) as rule,
        coalesce(t.household_id, b.household_id) as household_id,
        coalesce(t.hi, b.hi) as hi,
        coalesce(t.lo, b.lo) as lo,
        t.tonight,
        b.before,
        t.value_cents as value_now,
        b.value_cents as value_before
    from tonight as t
    full outer join before as b
        on t.rule = b.rule and t.household_id = b.household_id
        and t.hi is not distinct from b.hi and t.lo is not distinct from b.lo
)
select
    p.*,
    case
        when before is null then 'new'
        when tonight is not null and value_now = value_before then 'continuing'
        when tonight is not null and n.is_partial and n.is_held and value_now < value_before
            then 'continuing'
        when tonight is not null then 'changed'
        when n.is_held or n.is_not_comparable then 'unverified'
        when n.is_person_rule and n.scopes & ~coalesce(a.scopes, 0::ubigint) <> 0 then 'unverified'
        when not n.is_person_rule and n.scopes & coalesce(s.scopes_missing, 0::ubigint) <> 0 then 'unverified'
        when i.household_id is not null then 'unverified'
        else 'cleared'
    end as state,
    tonight is not null and before is not null and value_now < value_before and n.is_held
        and n.is_partial as keeps_value
from paired as p
join rule_need as n using (rule)
left join authorised as a on a.hi = p.hi and a.lo = p.lo
left join unauthorised_household as s on s.household_id = p.household_id and s.list = n.household_list
left join incomplete as i on i.household_id = p.household_id and i.list = n.household_list;
