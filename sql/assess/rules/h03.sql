-- h03 离婚后仍列为同户: two members whose latest registration is their divorce from each other. Value: number of couples.
create or replace table h03 as
with registered as (
    select
        m.household,
        m.record,
        g.certificate_no,
        g.registration_kind,
        g.registered_on,
        row_number() over (partition by m.record order by g.registered_on desc, g.registration_kind <> '离婚', g.certificate_no) as place
    from reach_marriage as g
    join member as m using (record)
    where m.list = 'roster' and g.how = 'exact' and g.registered_on <= $as_of
),
couple as (
    select household, certificate_no, any_value(registered_on) as registered_on
    from registered
    where place = 1 and registration_kind = '离婚'
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
