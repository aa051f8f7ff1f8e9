-- h03 离婚后仍列为同户: two members whose latest registration is their divorce from each other. Value: number of couples.
create or replace table h03 as
with couple as (
    select household, certificate_no, any_value(registered_on) as registered_on
    from latest_registration
    where registration_kind = '离婚'
    group by household, certificate_no
    having count(*) = 2
)
select
    c.household,
    null::integer as record,
    count(*) * 100 as value_cents,
    0 as line_cents,
    '婚姻登记显示名册中有' || count(*) || '对成员已离婚（最近一次' || strftime(max(c.registered_on), '%Y年%m月%d日')
        || '登记），仍列为同一家庭。' as evidence
from couple as c
join household as h using (household)
where h.programme in ('低保', '低保边缘')
group by c.household;
