-- member: the members of every household that is looked at, with what the rules ask of a person.
-- Grain   one row per member record.
-- Reads   record, registration            Feeds  household_position, person rules
-- Rules   severe: grade in severe_grades, or in severe_grades_intellectual_mental with 智力 or 精神, or severe
--         illness (spec section 4).
create or replace table member as
select
    r.record,
    r.household,
    r.list,
    r.role,
    r.hi,
    r.lo,
    r.is_valid,
    r.age,
    r.relation,
    r.disability_grade,
    r.disability_category,
    r.severe_illness,
    r.scopes,
    coalesce(list_contains($severe_grades, r.disability_grade), false)
        or coalesce(
            list_contains($severe_grades_intellectual_mental, r.disability_grade)
            and r.disability_category in ('智力', '精神'),
            false
        )
        or coalesce(r.severe_illness = '是', false) as is_severe,
    r.record in (select record from registration where has_death_row) as has_death_row,
    bit_count($every_scope::ubigint & ~r.scopes)::integer as scopes_missing
from record as r
where r.role = 'member';
