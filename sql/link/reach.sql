-- reach: how each kept row of a source reaches each record of its person; null where it does not.
-- Grain   one row per row of the source and record of its person.
-- Reads   the source's evidence, asked_record            Feeds  uncommon; reach_<source> of a household check
-- Rules   exact: names equal or one of them unreadable (a number upgraded from 15 digits: equal readable names
--         only); name_conflict: both readable and different; repaired: equal readable names (spec section 3).
create or replace macro reach(source, with_obligors) as table
select
    e.*,
    a.record,
    a.scopes,
    case
        when e.is_repaired then
            case when a.name_readable and a.name_digest = e.name_digest then 'repaired' end
        when a.name_readable and e.name_readable then
            case when a.name_digest = e.name_digest then 'exact' else 'name_conflict' end
        when not e.is_upgraded then 'exact'
    end as how
from query_table(source) as e
join asked_record as a on a.person = e.person and (a.is_member or with_obligors);
