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
        slot,
        region,
        coalesce(service, 'unknown') as service,
        role,
        samples,
        total,
        most,
        unit
    from role_slots
),

final as (
    select
        sides.side as side,
        (cast(points.slot as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000) as slot,
        points.region as region,
        points.service as service,
        points.role as role,
        exact_sum(points.total) as total,
        sum(points.samples) as samples,
        max(points.most) as highest,
        max(points.unit) as unit
    from points
    join sides on points.slot >= sides.since and points.slot < sides.until
    group by
        sides.side,
        (cast(points.slot as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000),
        points.region,
        points.service,
        points.role
)

select side, slot, region, service, role, total, samples, highest, unit
from final
