-- incomplete: households of which a member row was quarantined other than as member_repeated (spec section 4).
-- Grain   one row per list and household_id, also of households that were not accepted.
-- Reads   member_judged, monitored_judged            Feeds  household, states
-- Rules   a row whose role cannot be read counts as a member's; a row whose household cannot be read makes
--         nobody incomplete.
create or replace table incomplete as
select
    'roster' as list,
    household_id,
    count(*) as rows_quarantined
from member_judged
where mask not in (0, $member_repeated) and household_id <> '' and coalesce(role, '成员') = '成员'
group by household_id

union all

select
    'monitored' as list,
    household_id,
    count(*) as rows_quarantined
from monitored_judged
where mask not in (0, $member_repeated) and household_id <> ''
group by household_id;
