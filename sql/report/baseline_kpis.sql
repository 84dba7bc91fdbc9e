-- title: Key figures of the baseline
-- grain: one row
-- materialized: view
-- audit: the same figures as `kpi_summary`, of the baseline instead of the window; rates of
--   something that was never measured are NULL, and so are counts when nothing was
with
requests_in_baseline as (
    select requests, errors, latency
    from service_slots
    where slot >= $baseline_from and slot < $baseline_to
),

measured as (
    select count(distinct minute) as minutes_with_data
    from measured_minutes
    where minute >= $baseline_from and minute < $baseline_to
),

requests_total as (
    select
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests_in_baseline
),

evaluations_total as (
    select
        nullif(sum(evaluations), 0) as evaluations,
        sum(succeeded) as succeeded
    from evaluation_parts
    where in_baseline
),

final as (
    select
        requests,
        errors / nullif(cast(requests as double), 0) as error_rate,
        (requests - errors) / nullif(cast(requests as double), 0) as availability,
        sketch_quantile(latency, 0.50) as p50_ms,
        sketch_quantile(latency, 0.95) as p95_ms,
        sketch_quantile(latency, 0.99) as p99_ms,
        requests / nullif(cast(minutes_with_data * 60 as double), 0) as requests_per_second,
        evaluations,
        succeeded / nullif(cast(evaluations as double), 0) as evaluation_success
    from requests_total
    cross join measured
    cross join evaluations_total
)

select
    requests,
    error_rate,
    availability,
    p50_ms,
    p95_ms,
    p99_ms,
    requests_per_second,
    evaluations,
    evaluation_success
from final
