-- title: Memory of hosts, and how fast it grows
-- grain: one row per region, service and host that reports its memory in use
-- materialized: once
-- audit: a loss of `restart_drop` of the memory from one sample to the next is a restart; growth is
--   judged between restarts, over stretches of at least `memory_hours`, and NULL without one
-- audit: growth is the median slope of all pairs of samples (Theil and Sen), so that peaks of load
--   do not count; of several stretches the fastest growing one counts
-- audit: MB are 1,000,000 bytes
with
-- Plain strings: views would keep alive what they were read from, which sorts count for every batch.
points as (
    select
        timestamp,
        arrow_cast(region, 'Utf8') as region,
        arrow_cast(coalesce(service, 'unknown'), 'Utf8') as service,
        arrow_cast(coalesce(host, 'unknown'), 'Utf8') as host,
        value
    from platform_samples
    where role = 'memory_usage'
),

samples as (
    select
        timestamp,
        region,
        service,
        host,
        value,
        lag(value) over (partition by region, service, host order by timestamp, value) as before
    from points
),

limits as (
    select memory_hours, restart_drop
    from settings_platform
),

marked as (
    select
        samples.*,
        coalesce(samples.value < samples.before * (1.0 - limits.restart_drop), false)
            as is_restarted
    from samples
    cross join limits
),

stretched as (
    select
        *,
        sum(case when is_restarted then 1 else 0 end) over (
            partition by region, service, host
            order by timestamp, value
            rows between unbounded preceding and current row
        ) as stretch
    from marked
),

stretches as (
    select
        region,
        service,
        host,
        stretch,
        min(timestamp) as started_at,
        (cast(max(timestamp) as bigint) - cast(min(timestamp) as bigint)) / 3.6e9 as hours,
        -- By second; in MB and by hour.
        theil_sen_slope(value order by timestamp) * 3600.0 / 1e6 as growth_mb_per_hour
    from stretched
    group by region, service, host, stretch
),

judged as (
    select
        stretches.*,
        row_number() over (
            partition by stretches.region, stretches.service, stretches.host
            order by stretches.growth_mb_per_hour desc nulls last, stretches.started_at
        ) as place
    from stretches
    cross join limits
    where stretches.hours >= limits.memory_hours
),

hosts as (
    select
        region,
        service,
        host,
        count(*) as samples,
        min(value) / 1e6 as least_mb,
        exact_avg(value) / 1e6 as mean_mb,
        max(value) / 1e6 as most_mb,
        first_value(value order by timestamp, value) / 1e6 as first_mb,
        last_value(value order by timestamp, value) / 1e6 as last_mb,
        sum(case when is_restarted then 1 else 0 end) as restarts
    from marked
    group by region, service, host
),

kills as (
    select region, service, coalesce(host, 'unknown') as host, count(*) as oom_kills
    from oom_events
    group by region, service, coalesce(host, 'unknown')
),

agents as (
    select distinct services.service as service
    from (select distinct service from hosts) as services
    join settings_selectors as selectors
        on selectors.what = 'agent_service' and services.service like selectors.pattern
),

final as (
    select
        hosts.region as region,
        hosts.service as service,
        hosts.host as host,
        agents.service is not null as is_agent,
        hosts.samples as samples,
        hosts.least_mb as least_mb,
        hosts.mean_mb as mean_mb,
        hosts.most_mb as most_mb,
        hosts.first_mb as first_mb,
        hosts.last_mb as last_mb,
        hosts.restarts as restarts,
        coalesce(kills.oom_kills, 0) as oom_kills,
        judged.growth_mb_per_hour as growth_mb_per_hour,
        judged.hours as growth_hours,
        judged.started_at as growth_since
    from hosts
    left join kills
        on hosts.region = kills.region
        and hosts.service = kills.service
        and hosts.host = kills.host
    left join agents on hosts.service = agents.service
    left join judged
        on hosts.region = judged.region
        and hosts.service = judged.service
        and hosts.host = judged.host
        and judged.place = 1
)

select
    region,
    service,
    host,
    is_agent,
    samples,
    least_mb,
    mean_mb,
    most_mb,
    first_mb,
    last_mb,
    restarts,
    oom_kills,
    growth_mb_per_hour,
    growth_hours,
    growth_since
from final
