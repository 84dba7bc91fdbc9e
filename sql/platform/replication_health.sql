-- title: Replication between regions
-- grain: one row per region that reports a lag or its rows
-- materialized: once
-- audit: the worst lag is the highest mean of five minutes, so that one odd sample decides nothing
-- audit: rows are compared at the newest minute of which every region that counts rows has told
with
lags as (
    select region, date_bin(interval '5 minutes', timestamp) as slot, value
    from platform_samples
    where role = 'replication_lag_ms'
),

lag_slots as (
    select
        region,
        slot,
        count(*) as samples,
        exact_sum(value) as total_ms,
        exact_avg(value) as lag_ms,
        max(value) as max_ms,
        quantile_sketch(value) as lag
    from lags
    group by region, slot
),

lag_by_region as (
    select
        region,
        sum(samples) as lag_samples,
        exact_sum(total_ms) / cast(sum(samples) as double) as lag_mean_ms,
        sketch_quantile(sketch_merge(lag), 0.50) as lag_p50_ms,
        sketch_quantile(sketch_merge(lag), 0.95) as lag_p95_ms,
        max(max_ms) as lag_max_ms,
        max(lag_ms) as lag_worst_ms,
        first_value(slot order by lag_ms desc, slot) as lag_worst_at
    from lag_slots
    group by region
),

row_counts as (
    select
        region,
        date_trunc('minute', timestamp) as minute,
        coalesce(service, '') || '/' || coalesce(host, '') || '/' || metric as series,
        last_value(value order by timestamp, value) as rows_held
    from platform_samples
    where role = 'replicated_rows'
    group by 1, 2, 3
),

row_minutes as (
    select minute, region, exact_sum(rows_held) as rows_held
    from row_counts
    group by minute, region
),

common as (
    select max(minute) as minute
    from (
        select minute
        from row_minutes
        group by minute
        having count(*) = (select count(distinct region) from row_minutes)
    ) as complete
),

rows_by_region as (
    select
        row_minutes.region as region,
        row_minutes.minute as rows_at,
        row_minutes.rows_held as rows_held,
        max(row_minutes.rows_held) over () - row_minutes.rows_held as rows_behind
    from row_minutes
    join common on row_minutes.minute = common.minute
),

final as (
    select
        coalesce(lag_by_region.region, rows_by_region.region) as region,
        coalesce(lag_by_region.lag_samples, 0) as lag_samples,
        lag_by_region.lag_mean_ms as lag_mean_ms,
        lag_by_region.lag_p50_ms as lag_p50_ms,
        lag_by_region.lag_p95_ms as lag_p95_ms,
        lag_by_region.lag_max_ms as lag_max_ms,
        lag_by_region.lag_worst_ms as lag_worst_ms,
        lag_by_region.lag_worst_at as lag_worst_at,
        rows_by_region.rows_at as rows_at,
        rows_by_region.rows_held as rows_held,
        rows_by_region.rows_behind as rows_behind
    from lag_by_region
    full outer join rows_by_region on lag_by_region.region = rows_by_region.region
)

select
    region,
    lag_samples,
    lag_mean_ms,
    lag_p50_ms,
    lag_p95_ms,
    lag_max_ms,
    lag_worst_ms,
    lag_worst_at,
    rows_at,
    rows_held,
    rows_behind
from final
