-- title: Key figures of the whole window
-- grain: one row
-- materialized: run
-- audit: rates of something that was never measured are NULL
with
requests_in_window as (
    select region, service, requests, errors, timeouts, latency
    from service_slots
    where slot >= $from and slot < $to
),

measured as (
    select count(distinct minute) as minutes_with_data
    from measured_minutes
    where minute >= $from and minute < $to
),

requests_total as (
    select
        coalesce(sum(requests), 0) as requests,
        coalesce(sum(errors), 0) as errors,
        coalesce(sum(timeouts), 0) as timeouts,
        sketch_merge(latency) as latency,
        count(distinct region) as regions,
        count(distinct service) as services
    from requests_in_window
),

evaluations_total as (
    select
        coalesce(sum(evaluations), 0) as evaluations,
        coalesce(sum(succeeded), 0) as evaluations_succeeded
    from evaluation_parts
    where position is not null
),

final as (
    select
        requests,
        errors,
        timeouts,
        errors / nullif(cast(requests as double), 0) as error_rate,
        (requests - errors) / nullif(cast(requests as double), 0) as availability,
        sketch_quantile(latency, 0.50) as p50_ms,
        sketch_quantile(latency, 0.95) as p95_ms,
        sketch_quantile(latency, 0.99) as p99_ms,
        -- Per second of the minutes that were measured; `coverage` says how many those are.
        requests / nullif(cast(minutes_with_data * 60 as double), 0) as requests_per_second,
        evaluations,
        evaluations_succeeded,
        evaluations_succeeded / nullif(cast(evaluations as double), 0) as evaluation_success,
        minutes_with_data,
        (extract(epoch from $to) - extract(epoch from $from)) / 60 as window_minutes,
        minutes_with_data * 60 / (extract(epoch from $to) - extract(epoch from $from)) as coverage,
        services,
        regions
    from requests_total
    cross join measured
    cross join evaluations_total
)

select
    requests,
    errors,
    timeouts,
    error_rate,
    availability,
    p50_ms,
    p95_ms,
    p99_ms,
    requests_per_second,
    evaluations,
    evaluations_succeeded,
    evaluation_success,
    minutes_with_data,
    window_minutes,
    coverage,
    services,
    regions
from final
