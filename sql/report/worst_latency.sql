-- title: The latency SLO that was violated worst, in steps that suit a chart
-- grain: one row per step with windows of that SLO, region and service
-- materialized: view
-- audit: service names the route as well where the SLO is judged by route
-- audit: windows follow each other as they are for windows of up to 2 days; longer ones are told by
--   their worst in each hour up to 8 days, else in 6 hours, so that a week is a few hundred points
with
worst as (
    select slo, region, service, route
    from slo_episodes
    where kind = 'violation' and type = 'latency'
    order by severity_rank desc, windows desc, started_at, slo, region, service, route
    limit 1
),

lengths as (
    select
        case
            when (cast($to as bigint) - cast($from as bigint)) / 3600000000 <= 48 then 1
            when (cast($to as bigint) - cast($from as bigint)) / 3600000000 <= 192 then 3600000000
            else 21600000000
        end as step
),

windows as (
    select
        bands.slo as slo,
        bands.region as region,
        bands.service || coalesce(' ' || bands.route, '') as service,
        cast($from as bigint)
            + (cast(bands.window_start as bigint) - cast($from as bigint))
            / lengths.step * lengths.step as time,
        bands.observed as observed,
        greatest(bands.lower, 0.0) as lower,
        bands.upper as upper,
        case when bands.is_violated or bands.is_anomaly then bands.observed end as notable,
        bands.target as target,
        bands.threshold as threshold
    from slo_bands as bands
    join worst
        on bands.slo = worst.slo
        and bands.region = worst.region
        and bands.service = worst.service
        and coalesce(bands.route, '') = coalesce(worst.route, '')
    cross join lengths
    where bands.window_start >= $from
),

final as (
    select
        slo,
        region,
        service,
        arrow_cast(time, 'Timestamp(Microsecond, Some("UTC"))') as time,
        max(observed) as observed,
        min(lower) as lower,
        max(upper) as upper,
        max(notable) as notable,
        max(target) as target,
        max(threshold) as threshold
    from windows
    group by slo, region, service, time
)

select slo, region, service, time, observed, lower, upper, notable, target, threshold
from final
