-- link_count: what became of a source's evidence.
-- Grain   one row.
-- Reads   uncommon            Feeds  the counts of the night
-- Rules   linked: rows exact for at least one record; duplicate: linked minus distinct ones (spec section 3).
--         Plain rows are linked and distinct.
create or replace table link_count as
with counted as (
    select
        count(distinct row) filter (how = 'exact') as exact,
        count(distinct row) filter (how = 'exact' and is_repeated) as repeated,
        count(distinct (person, row_digest)) filter (how = 'exact' and is_repeated) as repeated_distinct,
        count(distinct row) filter (is_unauthorised and how is not null) as used_without_authorisation
    from uncommon
)
select
    $plain_rows + exact as linked,
    repeated - repeated_distinct as duplicate,
    used_without_authorisation
from counted;
