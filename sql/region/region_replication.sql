-- title: Replication of every region
-- grain: one row per region that reports replicated rows or replication lag in the window
-- materialized: view
-- audit: rows are compared at the newest moment that every reporting region has reached, so that a
--   region whose last sample is older does not look behind
-- audit: `rows_behind` is against the region that has most rows
with
counts as (
    select metrics.timestamp as timestamp, metrics.region as region, metrics.value as rows
    from metrics
    join (select distinct metric from settings_metrics where role = 'replicated_rows') as roles
        on metrics.metric = roles.metric
    where
        metrics.timestamp >= $from
        and metrics.timestamp < $to
        and abs(metrics.value) < cast('Infinity' as double)
),

reached as (
    select min(newest) as common
    from (select region, max(timestamp) as newest from counts group by region)
),

replicated as (
    select
        counts.region as region,
        first_value(counts.rows order by counts.timestamp desc, counts.rows desc) as rows
    from counts
    cross join reached
    where counts.timestamp <= reached.common
    group by counts.region
),

lags as (
    select
        region,
        exact_avg(value) as lag_mean_ms,
        sketch_quantile(quantile_sketch(value), 0.95) as lag_p95_ms,
        max(value) as lag_max_ms
    from metric_points
    where timestamp >= $from and timestamp < $to and role = 'replication_lag_ms'
    group by region
),

final as (
    select
        coalesce(replicated.region, lags.region) as region,
        cast(replicated.rows as bigint) as replicated_rows,
        cast((select max(rows) from replicated) - replicated.rows as bigint) as rows_behind,
        lags.lag_mean_ms as lag_mean_ms,
        lags.lag_p95_ms as lag_p95_ms,
        lags.lag_max_ms as lag_max_ms
    from replicated
    full outer join lags on replicated.region = lags.region
)

select region, replicated_rows, rows_behind, lag_mean_ms, lag_p95_ms, lag_max_ms
from final
