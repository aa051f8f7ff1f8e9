-- severe_certificate: what each record's severe disability certificate in force says, its latest.
-- Grain   one row per record with such a certificate.
-- Reads   reach_disability_certificates            Feeds  n08, u03
-- Rules   severe: the grades of the policy, for intellectual and mental disability its further ones.
create or replace table severe_certificate as
select record, arg_max(category || grade, (issued_on, category || grade)) as told
from reach_disability_certificates
where how = 'exact' and certificate_state = '有效' and issued_on <= $as_of and coalesce(valid_until >= $as_of, true)
    and (
        list_contains($severe_grades, grade)
        or (list_contains($severe_grades_intellectual_mental, grade) and category in ('智力', '精神'))
    )
group by record;
