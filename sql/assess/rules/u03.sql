-- u03 单人保（残疾人证）: a member whose certificate in force says severe, though the roster record does not.
create or replace table u03 as
select
    c.* exclude (list, figures),
    '残疾人证登记为' || s.told || '级' || '，名册未登记；' || c.figures as evidence
from single_person_case as c
join severe_certificate as s using (record)
where c.list = 'roster';
