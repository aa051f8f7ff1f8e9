-- single_person_case: members who would be covered as a single person if they were severely ill or disabled.
-- Grain   one row per such member, with the figures of the household's lead.
-- Reads   candidate, member, newly_lead (N02, U01)            Feeds  n08, n09, u03, u04
-- Rules   monitored households below the margin line (N02), and margin households of the roster that stay below it
--         and have no such member on record (U01); a member neither known as severe nor told dead.
create or replace table single_person_case as
select
    c.household,
    c.list,
    m.record,
    c.n::integer as members,
    c.income_cents as value_cents,
    round_half_up(c.margin_line12::hugeint * 100, 12000000000000) as line_cents,
    c.assets_cents,
    round_half_up(c.margin_limit14::hugeint * 100, 100000000000000) as asset_line_cents,
    '家庭人均月收入' || yuan(c.income_cents) || '元，金融资产人均' || yuan(c.assets_cents) || '元。' as figures
from candidate as c
join member as m using (household)
where not m.is_severe and not m.has_death_row
    and case c.list
        when 'monitored' then c.household in (select household from newly_lead where rule = 'N02')
        else
            c.programme = '低保边缘' and c.stage = 'open' and c.is_below_margin and c.has_margin_property
            and c.household not in (select household from newly_lead where rule = 'U01')
    end;
