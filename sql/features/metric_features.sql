-- title: Regression features that follow from metrics
-- grain: one row per region, service and interval with samples; `service` NULL is the region as a
--   whole
-- materialized: run
-- audit: values are in the units of the roles: percent, counts, operations per second, ms, shares
--   of 1
-- audit: what is usual is the median over the parts of the baseline of the same figure; levels are
--   measured from there (from 0 without a baseline), so that they mean the same for every service:
--   queues and disks in their unit, utilization in percent of the headroom that is usual
-- audit: disk operations are those of a metric that states all of them, else reads and writes
--   added; for any other role all samples count alike; of waits that are stated in several units
--   the longest p95 counts
with
points as (
    select
        region,
        service,
        role,
        metric,
        is_part,
        samples,
        total,
        most,
        factor,
        spread,
        case
            when slot >= $from
                then (cast(slot as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
        end as position,
        case
            when slot >= $baseline_from and slot < $baseline_to
                then (cast(slot as bigint) - divided.starts) * divided.parts / divided.length
        end as part
    from role_slots
    cross join baseline_parts as divided
    where
        slot >= least($from, $baseline_from)
        and slot < $to
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

-- Every interval and every part of the baseline alike; one that is both is there twice.
slots as (
    select *, false as is_usual, position as slot
    from points
    where position is not null
    union all
    select *, true as is_usual, part as slot
    from points
    where part is not null
),

disk_metrics as (
    select
        region,
        service,
        is_usual,
        slot,
        metric,
        is_part,
        exact_sum(total) / sum(samples) as mean
    from slots
    where role = 'disk_io'
    group by region, service, is_usual, slot, metric, is_part
),

disks as (
    select
        region,
        service,
        is_usual,
        slot,
        coalesce(
            exact_avg(case when not is_part then mean end),
            exact_sum(case when is_part then mean end)
        ) as disk_io_rate
    from disk_metrics
    group by region, service, is_usual, slot
),

-- One row per role first: every sample is then added to one mean, not compared with each role.
role_slots as (
    select
        region,
        service,
        is_usual,
        slot,
        role,
        exact_sum(total) / sum(samples) as mean,
        max(most) as most
    from slots
    group by region, service, is_usual, slot, role
),

-- Sketches are in the unit of the samples.
waits as (
    select
        region,
        service,
        is_usual,
        slot,
        factor * sketch_quantile(sketch_merge(spread), 0.95) as p95
    from slots
    where role = 'queue_wait_ms'
    group by region, service, is_usual, slot, factor
),

slot_figures as (
    select
        region,
        service,
        is_usual,
        slot,
        max(case when role = 'queue_depth' then mean end) as queue_depth_mean,
        max(case when role = 'queue_depth' then most end) as queue_depth_max,
        max(case when role = 'cpu_utilization' then mean end) as cpu_utilization_mean,
        max(case when role = 'memory_utilization' then mean end) as memory_utilization_mean,
        max(case when role = 'database_latency_ms' then mean end) as database_latency,
        max(case when role = 'external_api_latency_ms' then mean end) as external_latency,
        max(case when role = 'cache_hit_rate' then mean end) as cache_hit_rate
    from role_slots
    group by region, service, is_usual, slot
),

longest_waits as (
    select region, service, is_usual, slot, max(p95) as queue_wait_p95
    from waits
    group by region, service, is_usual, slot
),

figures as (
    select
        slot_figures.*,
        disks.disk_io_rate as disk_io_rate,
        longest_waits.queue_wait_p95 as queue_wait_p95
    from slot_figures
    left join longest_waits
        on slot_figures.region = longest_waits.region
        and (slot_figures.service is not distinct from longest_waits.service)
        and slot_figures.is_usual = longest_waits.is_usual
        and slot_figures.slot = longest_waits.slot
    left join disks
        on slot_figures.region = disks.region
        and (slot_figures.service is not distinct from disks.service)
        and slot_figures.is_usual = disks.is_usual
        and slot_figures.slot = disks.slot
),

usual as (
    select
        region,
        service,
        median(queue_depth_mean) as queue_depth_mean,
        median(queue_depth_max) as queue_depth_max,
        median(queue_wait_p95) as queue_wait_p95,
        median(cpu_utilization_mean) as cpu_utilization_mean,
        median(memory_utilization_mean) as memory_utilization_mean,
        median(disk_io_rate) as disk_io_rate,
        median(database_latency) as database_latency,
        median(external_latency) as external_latency,
        median(cache_hit_rate) as cache_hit_rate
    from figures
    where is_usual
    group by region, service
),

final as (
    select
        now.region as region,
        now.service as service,
        now.slot as position,
        now.queue_depth_mean - coalesce(usual.queue_depth_mean, 0.0) as queue_depth_mean,
        now.queue_depth_max - coalesce(usual.queue_depth_max, 0.0) as queue_depth_max,
        now.queue_wait_p95 - coalesce(usual.queue_wait_p95, 0.0) as queue_wait_p95,
        (now.cpu_utilization_mean - coalesce(usual.cpu_utilization_mean, 0.0))
            / greatest(1.0 - coalesce(usual.cpu_utilization_mean, 0.0) / 100.0, 0.05)
            as cpu_utilization_mean,
        (now.memory_utilization_mean - coalesce(usual.memory_utilization_mean, 0.0))
            / greatest(1.0 - coalesce(usual.memory_utilization_mean, 0.0) / 100.0, 0.05)
            as memory_utilization_mean,
        now.disk_io_rate - coalesce(usual.disk_io_rate, 0.0) as disk_io_rate,
        now.database_latency / nullif(usual.database_latency, 0.0) - 1.0
            as database_latency_delta,
        now.external_latency / nullif(usual.external_latency, 0.0) - 1.0
            as external_api_latency_delta,
        now.cache_hit_rate - usual.cache_hit_rate as cache_hit_rate_delta
    from figures as now
    left join usual
        on now.region = usual.region and (now.service is not distinct from usual.service)
    where not now.is_usual
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
