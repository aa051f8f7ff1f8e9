-- a01 金融资产超标: assets per capita above the programme's limit.
create or replace table a01 as
select
    p.household,
    null::integer as record,
    round_half_up(p.assets14 * 100, p.n * 100000000000000) as value_cents,
    round_half_up(t.asset_limit14::hugeint * 100, 100000000000000) as line_cents,
    '银行账户' || p.bank_accounts || '个合计' || yuan(round_half_up(p.bank14 * 100, 100000000000000))
        || '元，证券账户' || p.security_accounts || '个合计' || yuan(round_half_up(p.security14 * 100, 100000000000000))
        || '元，有现金价值的有效保单' || p.policies || '份合计' || yuan(round_half_up(p.policy14 * 100, 100000000000000))
        || '元；' || p.n || '人平均每人' || yuan(round_half_up(p.assets14 * 100, p.n * 100000000000000)) || '元，限额每人'
        || yuan(round_half_up(t.asset_limit14::hugeint * 100, 100000000000000)) || '元。' as evidence
from household_position as p
join threshold as t using (county_code, township_code, area, programme)
where p.list = 'roster' and p.n > 0 and not p.is_incomplete and t.asset_limit14 is not null
    and p.assets14 > t.asset_limit14::hugeint * p.n;
