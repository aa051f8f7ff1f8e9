-- x04 授权缺失或过期: no valid authorisation for a source that needs one. Value: number of such sources.
create or replace table x04 as
select
    household,
    record,
    scopes_missing * 100 as value_cents,
    0 as line_cents,
    '缺少对' || scopes_missing || '个数据来源的有效授权，相关记录未查询使用。' as evidence
from member
where list = 'roster' and scopes_missing > 0

union all

select
    r.household,
    r.record,
    100 as value_cents,
    0 as line_cents,
    '法定义务人缺少对税务数据的有效授权，相关记录未查询使用。' as evidence
from record as r
join household as h using (household)
where r.role = 'obligor' and h.programme in ('低保', '特困') and r.scopes & $tax_scope::ubigint = 0;
