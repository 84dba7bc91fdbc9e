-- title: Throughput, errors and latency by hour
-- grain: one row per hour that the window touches, with or without data
-- materialized: run
-- audit: an hour without requests has NULL in every figure
with
hours as (
    select
        unnest(
            generate_series(
                date_trunc('hour', $from),
                date_trunc('hour', $to - interval '1 microsecond'),
                interval '1 hour'
            )
        ) as hour
),

requests_in_window as (
    select date_trunc('hour', slot) as hour, requests, errors, latency
    from service_slots
    where slot >= $from and slot < $to
),

measured as (
    select date_trunc('hour', minute) as hour, count(distinct minute) as minutes
    from measured_minutes
    where minute >= $from and minute < $to
    group by 1
),

by_hour as (
    select
        hour,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests_in_window
    group by hour
),

final as (
    select
        hours.hour as hour,
        by_hour.requests as requests,
        by_hour.errors as errors,
        by_hour.errors / nullif(cast(by_hour.requests as double), 0) as error_rate,
        by_hour.requests / nullif(cast(measured.minutes * 60 as double), 0) as requests_per_second,
        measured.minutes as minutes_with_data,
        sketch_quantile(by_hour.latency, 0.50) as p50_ms,
        sketch_quantile(by_hour.latency, 0.95) as p95_ms,
        sketch_quantile(by_hour.latency, 0.99) as p99_ms
    from hours
    left join by_hour on hours.hour = by_hour.hour
    left join measured on hours.hour = measured.hour
)

select
    hour,
    requests,
    errors,
    error_rate,
    requests_per_second,
    minutes_with_data,
    p50_ms,
    p95_ms,
    p99_ms
from final
