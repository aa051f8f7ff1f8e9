-- n08 单人保（残疾人证）: a member whose certificate in force says severe, though the monitored record does not.
create or replace table n08 as
select
    c.* exclude (list, figures),
    '残疾人证登记为' || s.told || '级' || '，监测信息未登记；' || c.figures as evidence
from single_person_case as c
join severe_certificate as s using (record)
where c.list = 'monitored';
