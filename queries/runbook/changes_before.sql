-- title: What was changed in the six hours before a moment?
-- when: A regression is confirmed and the next question is which change to roll back.
-- params: $at: the moment the regression began
select timestamp, region, service, kind, key, old_value, new_value, version, author, detail
from changes
where timestamp >= $at - interval '6 hours' and timestamp <= $at
order by timestamp desc, region, service
