-- business_case: records in B01's case.
-- Grain   one row per record.
-- Reads   business            Feeds  b01, household_position (property test)
-- Rules   legal representative of an existing company, or capital of at least the threshold and above zero.
create or replace table business_case as
select *
from business
where is_legal_representative or (capital_micro >= $capital_threshold and capital_micro > 0);
