-- reach: how each kept row of one source reaches each record of its person.
-- Grain   one row per (row of the source, record it reaches).
-- Reads   the source's evidence, asked_record            Feeds  that source's exact rows, link_count, trace
--         is_alone: no other record is of that person, so the row is counted once as it stands.
-- Rules   exact: names equal or one of them unreadable (a number upgraded from 15 digits: equal readable names
--         only); name_conflict: both readable and different; repaired: equal readable names (spec section 3).
create or replace table reach as
with compared as (
    select
        e.*,
        a.record,
        a.is_alone,
        case
            when e.is_repaired then
                case when a.name_readable and a.name_digest = e.name_digest then 'repaired' end
            when a.name_readable and e.name_readable then
                case when a.name_digest = e.name_digest then 'exact' else 'name_conflict' end
            when not e.is_upgraded then 'exact'
        end as how
    from query_table($source) as e
    join asked_record as a on a.person = e.person and (a.is_member or $with_obligors)
)
select * exclude (name_digest, name_readable, is_upgraded, is_repaired)
from compared
where how is not null;
