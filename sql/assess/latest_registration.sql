-- latest_registration: the latest marriage or divorce of each member on the roster; of one day's the divorce.
-- Grain   one row per member with a registration.
-- Reads   reach_marriage, member            Feeds  h02, h03
create or replace table latest_registration as
select
    m.household,
    m.record,
    g.certificate_no,
    g.registration_kind,
    g.registered_on
from reach_marriage as g
join member as m using (record)
where m.list = 'roster' and g.how = 'exact' and g.registered_on <= $as_of
qualify
    row_number() over (partition by m.record order by g.registered_on desc, g.registration_kind <> '离婚', g.certificate_no) = 1;
