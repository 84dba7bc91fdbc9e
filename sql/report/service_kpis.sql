-- title: Key figures by service
-- grain: one row per service that served a request in the window
-- materialized: view
with
served as (
    select
        service,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        count(distinct region) as regions,
        sketch_merge(latency) as latency
    from service_slots
    where slot >= $from and slot < $to
    group by service
),

totals as (
    select sum(requests) as requests
    from served
),

final as (
    select
        service,
        regions,
        requests,
        requests / nullif(cast((select requests from totals) as double), 0) as request_share,
        errors,
        errors / nullif(cast(requests as double), 0) as error_rate,
        timeouts,
        sketch_quantile(latency, 0.50) as p50_ms,
        sketch_quantile(latency, 0.95) as p95_ms,
        sketch_quantile(latency, 0.99) as p99_ms
    from served
)

select
    service,
    regions,
    requests,
    request_share,
    errors,
    error_rate,
    timeouts,
    p50_ms,
    p95_ms,
    p99_ms
from final
