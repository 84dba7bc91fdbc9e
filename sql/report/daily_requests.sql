-- title: Throughput, errors and latency by day
-- grain: one row per UTC day that the window touches, with or without data
-- materialized: view
-- audit: a day without requests has NULL in every figure
with
days as (
    select
        unnest(
            generate_series(
                date_trunc('day', $from),
                date_trunc('day', $to - interval '1 microsecond'),
                interval '1 day'
            )
        ) as day
),

requests_in_window as (
    select date_trunc('day', slot) as day, requests, errors, latency
    from service_slots
    where slot >= $from and slot < $to
),

measured as (
    select date_trunc('day', minute) as day, count(distinct minute) as minutes
    from measured_minutes
    where minute >= $from and minute < $to
    group by 1
),

by_day as (
    select
        day,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests_in_window
    group by day
),

final as (
    select
        days.day as day,
        by_day.requests as requests,
        by_day.errors as errors,
        by_day.errors / nullif(cast(by_day.requests as double), 0) as error_rate,
        by_day.requests / nullif(cast(measured.minutes * 60 as double), 0) as requests_per_second,
        measured.minutes as minutes_with_data,
        sketch_quantile(by_day.latency, 0.50) as p50_ms,
        sketch_quantile(by_day.latency, 0.95) as p95_ms,
        sketch_quantile(by_day.latency, 0.99) as p99_ms
    from days
    left join by_day on days.day = by_day.day
    left join measured on days.day = measured.day
)

select
    day,
    requests,
    errors,
    error_rate,
    requests_per_second,
    minutes_with_data,
    p50_ms,
    p95_ms,
    p99_ms
from final
