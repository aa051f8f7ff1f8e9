-- a02 金融资产未申报: assets exceed the declared ones by more than the tolerance (household).
create or replace table a02 as
select
    p.household,
    null::integer as record,
    round_half_up((p.assets14 - p.declared_financial_assets::hugeint * 100000000) * 100, 100000000000000) as value_cents,
    round_half_up($undeclared_assets_tolerance::hugeint * 100, 1000000) as line_cents,
    '申报金融资产' || yuan(round_half_up(p.declared_financial_assets::hugeint * 100, 1000000)) || '元；银行账户'
        || p.bank_accounts || '个合计' || yuan(round_half_up(p.bank14 * 100, 100000000000000)) || '元，证券账户'
        || p.security_accounts || '个合计' || yuan(round_half_up(p.security14 * 100, 100000000000000))
        || '元，有现金价值的有效保单' || p.policies || '份合计' || yuan(round_half_up(p.policy14 * 100, 100000000000000))
        || '元。' as evidence
from household_position as p
where p.list = 'roster' and p.programme in ('低保', '低保边缘') and p.n > 0
    and p.assets14 - p.declared_financial_assets::hugeint * 100000000 > $undeclared_assets_tolerance::hugeint * 100000000;
