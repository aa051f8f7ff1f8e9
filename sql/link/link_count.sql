-- link_count: what became of a source's evidence.
-- Grain   one row.
-- Reads   uncommon            Feeds  the counts of the night
-- Rules   linked: rows exact for at least one record; duplicate: linked minus distinct ones (spec section 3).
--         Rows that are not uncommon are linked and distinct.
create or replace table link_count as
with counted as (
    select
        count(distinct row) as rows_uncommon,
        count(distinct row) filter (how = 'exact') as exact,
        count(distinct (person, row_digest)) filter (how = 'exact') as exact_distinct,
        count(distinct row) filter (is_unauthorised and how is not null) as used_without_authorisation
    from uncommon
)
select
    $evidence_rows - rows_uncommon + exact as linked,
    exact - exact_distinct as duplicate,
    used_without_authorisation
from counted;
