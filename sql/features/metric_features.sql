-- title: Regression features that follow from metrics
-- grain: one row per region, service and interval with samples; `service` NULL is the region as a
--   whole
-- materialized: run
-- audit: values are in the units of the roles: percent, counts, operations per second, ms, shares
--   of 1
-- audit: disk operations are those of a metric that states all of them, else reads and writes
--   added; for any other role all samples count alike
with
points as (
    select
        timestamp,
        region,
        service,
        role,
        metric,
        value,
        is_part,
        case
            when timestamp >= $from
                then (cast(timestamp as bigint) - cast($from as bigint))
                    / ($interval_seconds * 1000000)
        end as position,
        timestamp >= $baseline_from and timestamp < $baseline_to as in_baseline
    from metric_points
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < $to
        and role in (
            'queue_depth',
            'queue_wait_ms',
            'cpu_utilization',
            'memory_utilization',
            'disk_io',
            'database_latency_ms',
            'external_api_latency_ms',
            'cache_hit_rate'
        )
),

disk_metrics as (
    select region, service, position, metric, is_part, exact_avg(value) as mean
    from points
    where role = 'disk_io' and position is not null
    group by region, service, position, metric, is_part
),

disks as (
    select
        region,
        service,
        position,
        coalesce(
            exact_avg(case when not is_part then mean end),
            exact_sum(case when is_part then mean end)
        ) as disk_io_rate
    from disk_metrics
    group by region, service, position
),

-- One row per role first: every sample is then added to one mean, not compared with each role.
role_windows as (
    select
        region,
        service,
        position,
        role,
        exact_avg(value) as mean,
        max(value) as most,
        quantile_sketch(case when role = 'queue_wait_ms' then value end) as waits
    from points
    where position is not null
    group by region, service, position, role
),

windows as (
    select
        region,
        service,
        position,
        max(case when role = 'queue_depth' then mean end) as queue_depth_mean,
        max(case when role = 'queue_depth' then most end) as queue_depth_max,
        sketch_quantile(sketch_merge(waits), 0.95) as queue_wait_p95,
        max(case when role = 'cpu_utilization' then mean end) as cpu_utilization_mean,
        max(case when role = 'memory_utilization' then mean end) as memory_utilization_mean,
        max(case when role = 'database_latency_ms' then mean end) as database_latency,
        max(case when role = 'external_api_latency_ms' then mean end) as external_latency,
        max(case when role = 'cache_hit_rate' then mean end) as cache_hit_rate
    from role_windows
    group by region, service, position
),

role_baselines as (
    select region, service, role, exact_avg(value) as mean
    from points
    where
        in_baseline
        and role in ('database_latency_ms', 'external_api_latency_ms', 'cache_hit_rate')
    group by region, service, role
),

baselines as (
    select
        region,
        service,
        max(case when role = 'database_latency_ms' then mean end) as database_latency,
        max(case when role = 'external_api_latency_ms' then mean end) as external_latency,
        max(case when role = 'cache_hit_rate' then mean end) as cache_hit_rate
    from role_baselines
    group by region, service
),

final as (
    select
        windows.region as region,
        windows.service as service,
        windows.position as position,
        windows.queue_depth_mean as queue_depth_mean,
        windows.queue_depth_max as queue_depth_max,
        windows.queue_wait_p95 as queue_wait_p95,
        windows.cpu_utilization_mean as cpu_utilization_mean,
        windows.memory_utilization_mean as memory_utilization_mean,
        disks.disk_io_rate as disk_io_rate,
        windows.database_latency / nullif(baselines.database_latency, 0.0) - 1.0
            as database_latency_delta,
        windows.external_latency / nullif(baselines.external_latency, 0.0) - 1.0
            as external_api_latency_delta,
        windows.cache_hit_rate - baselines.cache_hit_rate as cache_hit_rate_delta
    from windows
    left join disks
        on windows.region = disks.region
        and (windows.service is not distinct from disks.service)
        and windows.position = disks.position
    left join baselines
        on windows.region = baselines.region
        and (windows.service is not distinct from baselines.service)
)

select
    region,
    service,
    position,
    queue_depth_mean,
    queue_depth_max,
    queue_wait_p95,
    cpu_utilization_mean,
    memory_utilization_mean,
    disk_io_rate,
    database_latency_delta,
    external_api_latency_delta,
    cache_hit_rate_delta
from final
