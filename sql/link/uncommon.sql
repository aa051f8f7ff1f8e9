-- uncommon: all but the exact rows of one record alone that are like no other row and that the person has allowed.
-- Grain   one row per row of the source and record of its person; few, so what is odd is counted on them.
-- Reads   the source's evidence, asked_record            Feeds  link_count, inexact
create or replace table uncommon as
select
    row,
    person,
    row_digest,
    record,
    how,
    coalesce((scopes >> $bit) & 1 = 0, false) as is_unauthorised
from reach('evidence', $with_obligors)
where not is_alone or is_repeated or how is distinct from 'exact' or (scopes >> $bit) & 1 = 0;
