-- g01 残疾人证已失效: the roster names a disability and the person's certificates are all expired, frozen or cancelled.
-- Value: number of certificates. Who has no record at the federation is not accused of anything.
create or replace table g01 as
select
    m.household,
    m.record,
    count(distinct c.certificate_no) * 100 as value_cents,
    0 as line_cents,
    '名册登记' || coalesce(m.disability_category, '') || '残疾' || m.disability_grade || '级；残疾人证记录'
        || count(distinct c.certificate_no) || '本，没有一本在有效期内（'
        || string_agg(
            distinct case when c.certificate_state = '有效' then '已过期' else '已' || c.certificate_state end,
            '、' order by case when c.certificate_state = '有效' then '已过期' else '已' || c.certificate_state end
        ) || '）。' as evidence
from reach_disability_certificates as c
join member as m using (record)
where m.list = 'roster' and c.how = 'exact' and m.disability_grade is not null
group by m.household, m.record, m.disability_category, m.disability_grade
having not bool_or(c.certificate_state = '有效' and c.issued_on <= $as_of and coalesce(c.valid_until >= $as_of, true));
