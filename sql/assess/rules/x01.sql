-- x01 名册身份号码无效: the roster's number fails the check character or the birth date.
create or replace table x01 as
select
    household,
    record,
    100 as value_cents,
    0 as line_cents,
    '名册登记的公民身份号码校验不通过，各部门数据均无法比对。' as evidence
from member
where list = 'roster' and not is_valid;
