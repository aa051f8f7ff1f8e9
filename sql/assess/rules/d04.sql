-- d04 火化未停保: an exact cremation record up to the as-of date. Value: number of cremation certificates.
-- Rules   the three months to settle the household's benefit run from the death, or from the cremation when the day of
--         death was not reported (notice of four departments, 2022-10-20, part 1 (3)).
create or replace table d04 as
with cremated as (
    select
        record,
        count(distinct certificate_no) as certificates,
        max(cremated_on) as cremated_on,
        max(coalesce(died_on, cremated_on)) as died_on
    from reach_cremation
    where how = 'exact' and cremated_on <= $as_of
    group by record
)
select
    m.household,
    m.record,
    c.certificates * 100 as value_cents,
    0 as line_cents,
    '殡葬记录显示该成员于' || strftime(c.cremated_on, '%Y年%m月%d日') || '火化，名册仍为在保成员；'
        || case
            when not $registration_usable then ''
            when g.died_on is not null then '户籍登记也已显示死亡；'
            else '户籍登记尚未显示死亡；'
        end || '增发、减发、停发手续应在' || strftime((c.died_on + interval 3 month)::date, '%Y年%m月%d日') || '前办结。' as evidence
from member as m
join cremated as c using (record)
left join registration as g using (record)
where m.list = 'roster';
