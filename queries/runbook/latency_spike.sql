-- title: Which route is slow, and is it slower than in the baseline?
-- when: An alert or the report says that a service's latency rose.
-- params: $service: the service to look at
with now as (
    select route, sum(requests) as requests, sketch_quantile(sketch_merge(latency), 0.95) as p95_ms
    from request_minutes
    where service = $service and minute >= $from and minute < $to
    group by route
),

before as (
    select route, sketch_quantile(sketch_merge(latency), 0.95) as p95_ms
    from request_minutes
    where service = $service and minute >= $baseline_from and minute < $baseline_to
    group by route
)

select
    now.route,
    now.requests,
    round(now.p95_ms, 1) as p95_ms,
    round(before.p95_ms, 1) as baseline_p95_ms,
    round(drift_percent(before.p95_ms, now.p95_ms), 1) as change_percent
from now
left join before on now.route is not distinct from before.route
order by now.p95_ms desc nulls last, now.route
