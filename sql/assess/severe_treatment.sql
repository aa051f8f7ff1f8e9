-- severe_treatment: when each record was last treated for a severe illness, within twelve months.
-- Grain   one row per record with such a settlement.
-- Reads   reach_medical_expenditure            Feeds  n09, u04
create or replace table severe_treatment as
select record, max(settled_on) as told
from reach_medical_expenditure
where how = 'exact' and severe_illness = '是' and settled_on <= $as_of and settled_on > ($as_of - interval 12 month)::date
group by record;
