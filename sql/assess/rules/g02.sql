-- g02 残疾类别或等级不一致: the latest certificate in force says another category or grade than the roster. Value: grade of
-- the certificate; line: grade of the roster.
create or replace table g02 as
with certificate as (
    select
        record,
        category,
        grade,
        row_number() over (partition by record order by issued_on desc, grade, category) as place
    from reach_disability_certificates
    where how = 'exact' and certificate_state = '有效' and issued_on <= $as_of and coalesce(valid_until >= $as_of, true)
)
select
    m.household,
    m.record,
    c.grade::integer * 100 as value_cents,
    m.disability_grade::integer * 100 as line_cents,
    '名册登记' || coalesce(m.disability_category, '（类别未填）') || m.disability_grade || '级，残疾人证登记' || c.category || c.grade || '级。'
        as evidence
from certificate as c
join member as m using (record)
where m.list = 'roster' and c.place = 1 and m.disability_grade is not null
    and (c.grade <> m.disability_grade or c.category <> m.disability_category);
