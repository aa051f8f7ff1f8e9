-- h01 疑似漏报家庭成员: spouse or minor child in the head's register who is not on the roster.
-- Rules   registers in which a member has an exact 正常 row with relation 01, 02 or 10-12; collective registers are
--         left out; nobody who is, or may be by a mistyped number, member or obligor of the household is counted;
--         relations and birth years only, since those persons have authorised nobody (spec section 4).
create or replace table h01 as
with own_register as (
    select distinct m.household, k.register_no as register
    from reach_household_registration as k
    join member as m using (record)
    join household_position as p on p.household = m.household
    where k.how = 'exact' and k.status = '正常' and k.relation in ('01', '02', '10', '11', '12')
        and m.list = 'roster' and p.programme in ('低保', '低保边缘') and not p.is_incomplete
),
stranger as (
    select
        o.household,
        o.register,
        r.hi,
        r.lo,
        r.relation,
        r.born // 10000 as birth_year
    from own_register as o
    join register_row as r using (register)
    left join record as k on k.household = o.household and k.hi = r.hi and k.lo = r.lo
    where r.is_valid and r.is_normal
        and (
            r.relation between '10' and '12'
            or (r.relation between '20' and '39' and (year($as_of) * 10000 + month($as_of) * 100 + day($as_of) - r.born) // 10000 < 18)
        )
        and k.record is null
        and not exists (select 1 from near_suspect as k where k.household = o.household and k.hi = r.hi and k.lo = r.lo)
),
-- Only of the registers that matter.
collective_register as (
    select register
    from register_row
    where register in (select register from stranger)
    group by register
    having count(distinct (hi, lo)) > $register_max_persons
),
relative as (
    select distinct
        household,
        hi,
        lo,
        first(relation order by relation) over (partition by household, hi, lo) as relation,
        birth_year
    from stranger
    where register not in (select register from collective_register)
)
select
    household,
    null::integer as record,
    count(*) * 100 as value_cents,
    0 as line_cents,
    '户籍同户另有' || count(*) || '人未列入名册：' || string_agg(
        case when relation <= '12' then '配偶' when relation < '30' then '子' else '女' end || '（' || birth_year || '年生）',
        '、' order by birth_year, relation
    ) || '。' as evidence
from relative
group by household;
