-- l01 以单位职工身份参保: pension contributions as an employee within the income window. Value: the latest base, yuan.
create or replace table l01 as
with entry as (
    select
        record,
        row_digest,
        any_value(insured_month) as insured_month,
        any_value(amount) as amount,
        any_value(contribution_base) as contribution_base
    from reach_social_insurance
    where how = 'exact' and entry_kind = '缴费' and insured_as = '单位职工'
        and scheme in ('企业职工基本养老保险', '机关事业单位基本养老保险')
        and insured_month between $window_start and $window_end
    group by record, row_digest
),
paid as (
    select record, insured_month, max(contribution_base) as contribution_base
    from entry
    group by record, insured_month
    having sum(amount) > 0
)
select
    m.household,
    m.record,
    coalesce(round_half_up(arg_max(p.contribution_base, p.insured_month)::hugeint * 100, 1000000), 0) as value_cents,
    0 as line_cents,
    '社会保险记录显示该成员' || strftime(min(p.insured_month), '%Y-%m') || '至' || strftime(max(p.insured_month), '%Y-%m')
        || '有' || count(*) || '个月以单位职工身份缴纳基本养老保险'
        || coalesce(
            '，最近月缴费基数' || yuan(round_half_up(arg_max(p.contribution_base, p.insured_month)::hugeint * 100, 1000000)) || '元',
            ''
        ) || '。' as evidence
from paid as p
join member as m using (record)
join household as h on h.household = m.household
where m.list = 'roster' and h.programme in ('低保', '特困', '低保边缘')
group by m.household, m.record;
