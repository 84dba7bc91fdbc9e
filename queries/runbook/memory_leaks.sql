-- title: Hosts whose memory grows, that were restarted, or that were killed for it
-- when: Instances restart for no visible reason, or memory alerts come and go.
-- params: none
select
    region,
    service,
    host,
    round(growth_mb_per_hour, 1) as growth_mb_per_hour,
    growth_since,
    round(growth_hours, 1) as over_hours,
    round(first_mb, 0) as first_mb,
    round(last_mb, 0) as last_mb,
    round(most_mb, 0) as most_mb,
    restarts,
    oom_kills
from memory_growth
where growth_mb_per_hour > 1 or restarts > 0 or oom_kills > 0
order by oom_kills desc, growth_mb_per_hour desc nulls last, region, service, host
