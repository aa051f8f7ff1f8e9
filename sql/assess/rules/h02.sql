-- h02 婚姻登记配偶未列入名册: the latest registration is a recent marriage whose other half stands nowhere in the household.
-- Value: 1.
-- Rules   a household with an unread member or a number nobody can be found by is not judged: the spouse might be
--         there. Nor is one whose obligors name a spouse, nor somebody covered as a single person. The spouse is never
--         named: nobody has authorised that.
create or replace table h02 as
with hidden as (
    select household
    from record
    where not is_valid or (role = 'obligor' and relation between '10' and '12')
)
select
    r.household,
    r.record,
    100 as value_cents,
    0 as line_cents,
    '婚姻登记显示该成员于' || strftime(r.registered_on, '%Y年%m月%d日') || '登记结婚，配偶未列入名册。' as evidence
from latest_registration as r
join household_position as p on p.household = r.household
join member as m on m.record = r.record
join rule_setting as s using (county_code, township_code)
where r.registration_kind = '结婚' and s.rule = 'H02' and s.name = 'look_back_months'
    and r.registered_on > ($as_of - to_months((s.value_micro // 1000000)::integer))::date
    and p.programme in ('低保', '低保边缘') and not p.is_incomplete and not (p.n = 1 and m.is_severe)
    and r.household not in (select household from hidden)
    and not exists (
        select 1
        from reach_marriage as g
        join record as k using (record)
        where g.certificate_no = r.certificate_no and k.household = r.household and g.record <> r.record
    );
