-- title: The 22 panels of the platform's dashboard, as rows to draw
-- when: A dashboard is to be drawn, or its newest figures are to be read; `tars record` has to have kept the series.
-- params: none
with
panels as (
    select panel, title, rule
    from (
        values
            (1, 'Evaluation rate', 'evaluation_rate'),
            (2, 'Evaluation latency p50', 'evaluation_latency_p50'),
            (3, 'Evaluation latency p95', 'evaluation_latency_p95'),
            (4, 'Evaluation latency p99', 'evaluation_latency_p99'),
            (5, 'Episode rate', 'agent_episode_rate'),
            (6, 'Cache size', 'redis_cache_size'),
            (7, 'Cache hit rate', 'redis_hit_ratio'),
            (8, 'Regressions', 'regressions_detected'),
            (9, 'Surest regression', 'regression_confidence_max'),
            (10, 'Nash stability by agent', 'agent_nash_stability'),
            (11, 'Nash conflict by agent', 'agent_nash_conflict'),
            (12, 'PostgreSQL connections in use', 'database_pool_utilization'),
            (13, 'PostgreSQL query p95', 'database_query_p95'),
            (14, 'PostgreSQL queries', 'database_query_rate'),
            (15, 'Redis memory', 'redis_memory_utilization'),
            (16, 'Redis commands', 'redis_command_rate'),
            (17, 'CPU', 'cpu_utilization_mean'),
            (18, 'Memory', 'memory_usage_mean'),
            (19, 'Instances killed for their memory', 'oom_kills'),
            (20, 'Replicas desired', 'replicas_desired_total'),
            (21, 'Replicas running', 'replicas_total')
    ) as listed (panel, title, rule)
),

-- Scaling is recorded as a change, not as a series.
scaled as (
    select
        22 as panel,
        'Scaling events' as title,
        timestamp as slot,
        region,
        coalesce(service, 'all') as service,
        coalesce(new_value, '') as label,
        1.0 as value,
        '1' as unit
    from changes
    where kind = 'replicas' and timestamp >= $from and timestamp < $to
),

final as (
    select
        panels.panel as panel,
        panels.title as title,
        series.slot as slot,
        series.region as region,
        series.service as service,
        series.label as label,
        series.value as value,
        series.unit as unit
    from panels
    join dashboard_series as series on panels.rule = series.rule
    union all
    select panel, title, slot, region, service, label, value, unit
    from scaled
)

select panel, title, slot, region, service, label, value, unit
from final
order by panel, slot, region, service, label
