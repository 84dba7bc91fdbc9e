-- title: The slowest requests and their traces
-- when: To find an example worth opening.
-- params: none
select timestamp, region, service, name, duration_ms, trace_id
from spans
where timestamp >= $from and timestamp < $to and kind in ('server', 'consumer')
order by duration_ms desc, trace_id, timestamp
limit 20
