-- title: Which route is slow, and is it slower than in the baseline?
-- when: An alert or the report says that a service's latency rose.
-- params: $service: the service to look at
with in_window as (
    select route, sum(requests) as requests, sketch_quantile(sketch_merge(latency), 0.95) as p95
    from request_minutes
    where service = $service and minute >= $from and minute < $to
    group by route
),

in_baseline as (
    select route, sketch_quantile(sketch_merge(latency), 0.95) as p95
    from request_minutes
    where service = $service and minute >= $baseline_from and minute < $baseline_to
    group by route
),

final as (
    select
        in_window.route as route,
        in_window.requests as requests,
        round(in_window.p95, 1) as p95_ms,
        round(in_baseline.p95, 1) as baseline_p95_ms,
        round(drift_percent(in_baseline.p95, in_window.p95), 1) as change_percent
    from in_window
    left join in_baseline on in_window.route is not distinct from in_baseline.route
)

select route, requests, p95_ms, baseline_p95_ms, change_percent
from final
order by p95_ms desc nulls last, route
