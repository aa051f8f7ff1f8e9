-- business: what each record has to do with companies and individual businesses that exist.
-- Grain   one row per record with an exact row of an existing entity. Unit: millionths of a yuan.
-- Reads   reach_market_regulation            Feeds  household_position, b01, b02
-- Rules   capital as shareholder or legal representative, the largest per uscc (ten thousand yuan to yuan).
create or replace table business as
with entity as (
    select
        record,
        uscc,
        entity_type,
        bool_or(role = '法定代表人') as is_legal_representative,
        bool_or(role = '经营者') as is_operator,
        max(subscribed_capital) filter (role in ('股东', '法定代表人'))::hugeint * 10000 as capital_micro
    from reach_market_regulation
    where how = 'exact' and status = '存续' and entity_type in ('企业', '个体工商户')
    group by record, uscc, entity_type
)
select
    record,
    coalesce(bool_or(is_legal_representative) filter (entity_type = '企业'), false) as is_legal_representative,
    coalesce(sum(capital_micro) filter (entity_type = '企业'), 0)::hugeint as capital_micro,
    count(distinct uscc) filter (entity_type = '企业' and (is_legal_representative or capital_micro is not null)) as companies,
    count(distinct uscc) filter (entity_type = '个体工商户' and is_operator) as individual_businesses,
    string_agg(distinct uscc, '、' order by uscc) filter (entity_type = '企业' and (is_legal_representative or capital_micro is not null))
        as company_usccs,
    string_agg(distinct uscc, '、' order by uscc) filter (entity_type = '个体工商户' and is_operator)
        as individual_usccs
from entity
group by record;
