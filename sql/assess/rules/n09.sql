-- n09 单人保（重特大疾病）: a member treated for a severe illness, though the monitored record does not say so.
create or replace table n09 as
select
    c.* exclude (list, figures),
    '医保结算记录显示' || strftime(s.told, '%Y年%m月%d日') || '有重特大疾病就医' || '，监测信息未登记；' || c.figures as evidence
from single_person_case as c
join severe_treatment as s using (record)
where c.list = 'monitored';
