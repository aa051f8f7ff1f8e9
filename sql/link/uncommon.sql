-- uncommon: the rows that are not plain, with the records of their persons; few, so what is odd is counted on them.
-- Grain   one row per such row of the source and record of its person.
-- Reads   other (the source's evidence without its plain rows), asked_record
-- Feeds   link_count, reach_<source> of the night
-- Rules   plain are the exact rows of one record alone that are like no other row and that the person has allowed.
create or replace table uncommon as
select * exclude (scopes), coalesce((scopes >> $bit) & 1 = 0, false) as is_unauthorised
from reach('other', $with_obligors);
