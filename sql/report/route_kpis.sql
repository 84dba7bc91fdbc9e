-- title: Key figures by service and route
-- grain: one row per service and route that served a request in the window
-- materialized: view
with
served as (
    select
        service,
        route,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from request_slots
    where slot >= $from and slot < $to
    group by service, route
),

final as (
    select
        service,
        route,
        requests,
        errors,
        errors / nullif(cast(requests as double), 0) as error_rate,
        sketch_quantile(latency, 0.50) as p50_ms,
        sketch_quantile(latency, 0.95) as p95_ms,
        sketch_quantile(latency, 0.99) as p99_ms
    from served
)

select service, route, requests, errors, error_rate, p50_ms, p95_ms, p99_ms
from final
