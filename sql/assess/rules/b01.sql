-- b01 企业任职或出资: legal representative of an existing company, or capital of at least the threshold.
create or replace table b01 as
select
    m.household,
    m.record,
    round_half_up(c.capital_micro * 100, 1000000) as value_cents,
    case when c.is_legal_representative then 0 else round_half_up($capital_threshold::hugeint * 100, 1000000) end as line_cents,
    case when c.is_legal_representative then '任存续企业法定代表人；' else '' end || '涉及存续企业' || c.companies
        || '家（统一社会信用代码' || c.company_usccs || '），认缴出资合计'
        || yuan(round_half_up(c.capital_micro * 100, 1000000)) || '元。' as evidence
from member as m
join business_case as c using (record)
where m.list = 'roster';
