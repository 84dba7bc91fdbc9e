-- title: Resources of the platform and their cost, interval by interval
-- grain: one row per interval in which any metric that plays a role was sampled
-- materialized: view
-- audit: sizes (cores, memory, nodes) are means over the interval, added up over regions;
--   utilizations of the cluster are weighted by its cores and its memory in each region where all
--   of them state these, else plain means
-- audit: a figure without a sample is NULL, and so is the cost without both sizes
with
samples as (
    select slot, region, service, role, total, samples, highest
    from metric_intervals
    where side = 'current'
),

series as (
    select slot, region, service, role, total / samples as value, total, samples, highest
    from samples
),

by_region as (
    select
        slot,
        region,
        exact_sum(case when role = 'cluster_cpu_cores' then value end) as cores,
        exact_sum(case when role = 'cluster_memory' then value end) as memory,
        exact_sum(case when role = 'node_count' then value end) as nodes,
        -- A node that was under pressure for a moment was under pressure.
        exact_sum(case when role = 'node_pressure_count' then highest end) as pressed,
        exact_avg(case when role = 'cluster_cpu_utilization' then value end) as cluster_cpu,
        exact_avg(case when role = 'cluster_memory_utilization' then value end) as cluster_memory
    from series
    group by slot, region
),

clusters as (
    select
        slot,
        exact_sum(cores) as cores,
        exact_sum(memory) as memory,
        exact_sum(nodes) as nodes,
        exact_sum(pressed) as pressed,
        case
            when count(cluster_cpu) = count(case when cores > 0.0 then cluster_cpu end)
                then exact_sum(cluster_cpu * cores)
                    / exact_sum(case when cluster_cpu is not null then cores end)
            else exact_avg(cluster_cpu)
        end as cluster_cpu_utilization,
        case
            when count(cluster_memory) = count(case when memory > 0.0 then cluster_memory end)
                then exact_sum(cluster_memory * memory)
                    / exact_sum(case when cluster_memory is not null then memory end)
            else exact_avg(cluster_memory)
        end as cluster_memory_utilization
    from by_region
    group by slot
),

means as (
    select
        slot,
        exact_sum(case when role = 'cpu_utilization' then total end)
            / sum(case when role = 'cpu_utilization' then samples end) as cpu_utilization,
        exact_sum(case when role = 'memory_utilization' then total end)
            / sum(case when role = 'memory_utilization' then samples end) as memory_utilization,
        exact_sum(case when role = 'cache_hit_rate' then total end)
            / sum(case when role = 'cache_hit_rate' then samples end) as cache_hit_rate,
        exact_sum(case when role = 'database_latency_ms' then total end)
            / sum(case when role = 'database_latency_ms' then samples end) as database_latency_ms
    from samples
    group by slot
),

final as (
    select
        means.slot as slot,
        clusters.cores as cluster_cpu_cores,
        clusters.memory / 1e9 as cluster_memory_gb,
        clusters.cluster_cpu_utilization as cluster_cpu_utilization,
        clusters.cluster_memory_utilization as cluster_memory_utilization,
        clusters.nodes as node_count,
        clusters.pressed as node_pressure_count,
        clusters.cores * cost.core_hour + clusters.memory / 1e9 * cost.memory_gb_hour
            as estimated_cost_per_hour,
        means.cpu_utilization as cpu_utilization,
        means.memory_utilization as memory_utilization,
        means.cache_hit_rate as cache_hit_rate,
        means.database_latency_ms as database_latency_ms
    from means
    left join clusters on means.slot = clusters.slot
    cross join settings_cost as cost
)

select
    slot,
    cluster_cpu_cores,
    cluster_memory_gb,
    cluster_cpu_utilization,
    cluster_memory_utilization,
    node_count,
    node_pressure_count,
    estimated_cost_per_hour,
    cpu_utilization,
    memory_utilization,
    cache_hit_rate,
    database_latency_ms
from final
