-- title: Metrics that play a role, by interval
-- grain: one row per side, interval, region, service and role that was sampled
-- materialized: once
-- audit: `side` and `slot` as in request_intervals
with
sides as (
    select side, since, until
    from (
        values
            ('current', $from, $to),
            ('baseline', $baseline_from, $baseline_to)
    ) as listed (side, since, until)
    where side = 'current' or $baseline_name = ''
),

points as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        role,
        value,
        unit
    from metric_points
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < greatest($to, $baseline_to)
),

final as (
    select
        sides.side as side,
        (cast(points.timestamp as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000) as slot,
        points.region as region,
        points.service as service,
        points.role as role,
        exact_sum(points.value) as total,
        count(*) as samples,
        max(points.value) as highest,
        max(points.unit) as unit
    from points
    join sides on points.timestamp >= sides.since and points.timestamp < sides.until
    group by
        sides.side,
        (cast(points.timestamp as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000),
        points.region,
        points.service,
        points.role
)

select side, slot, region, service, role, total, samples, highest, unit
from final
