-- explained_lead: leads whose fact an officer explained, for a time that is not over.
-- Grain   one row per such lead of tonight's list of discrepancies, with the explanation that was written last.
-- Reads   listed_lead, suppression, night (days that were published, and tonight)            Feeds  the list of explained leads
-- Rules   the same rule, household and, for rules about a person, person; and the same fact: the value, or the day
--         that a number of days is counted from. A lead that tonight could not be judged anew, or that is gone,
--         carries the number of days of the night that judged it last.
create or replace table explained_lead as
select
    l.place,
    max(s.entry) as entry
from listed_lead as l
join suppression as s
    on s.rule = l.rule and s.household_id = l.household_id
    and s.hi is not distinct from l.hi and s.lo is not distinct from l.lo
where s.until >= $as_of
    and case
        when s.since is null then l.value = s.value
        when l.state in ('cleared', 'unverified')
            then exists (select 1 from night as n where l.value = date_diff('day', s.since, n.as_of))
        else l.value = date_diff('day', s.since, $as_of)
    end
group by l.place;
