-- x05 名册成员信息不完整: a member row of the household was quarantined. Value: number of rows.
create or replace table x05 as
select
    household,
    null::integer as record,
    rows_quarantined * 100 as value_cents,
    0 as line_cents,
    '名册中该家庭有' || rows_quarantined || '行成员信息被隔离，家庭层面的比对暂不进行。' as evidence
from household_position
where list = 'roster' and is_incomplete;
