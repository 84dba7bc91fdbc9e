-- title: Redis by five minutes: commands, latency, hit rate, memory
-- when: The cache hit rate fell, Redis memory fills up, or keys are evicted sooner than they are used again.
-- params: none
select
    slot,
    round(max(case when rule = 'redis_command_rate' then value end), 3) as commands_per_second,
    round(max(case when rule = 'redis_command_p95' then value end), 2) as command_p95_ms,
    round(min(case when rule = 'redis_hit_ratio_by_region' then value end), 4) as worst_hit_ratio,
    round(max(case when rule = 'redis_memory_utilization' then value end), 1) as memory_percent
from recording_rules
where series_group = 'redis'
group by slot
order by slot
