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

-- The windows of that series alone: of all of them there may be tens of millions.
grid as (
    select
        series.series as series,
        series.slo as slo,
        series.region as region,
        series.service || coalesce(' ' || series.route, '') as place,
        series.window_seconds as window_seconds,
        series.target as target,
        series.threshold as threshold,
        unnest(
            range(
                0,
                (cast($to as bigint) - cast($from as bigint) + series.window_seconds * 1000000 - 1)
                    / (series.window_seconds * 1000000)
            )
        ) as position
    from slo_series as series
    join worst
        on series.slo = worst.slo
        and series.region = worst.region
        and series.service = worst.service
        and coalesce(series.route, '') = coalesce(worst.route, '')
),

windows as (
    select
        grid.slo as slo,
        grid.region as region,
        grid.place as service,
        cast($from as bigint)
            + grid.position * grid.window_seconds * 1000000 / lengths.step * lengths.step as time,
        expected.observed as observed,
        greatest(expected.lower, 0.0) as lower,
        expected.upper as upper,
        case when expected.is_violated or expected.is_anomaly then expected.observed end as notable,
        grid.target as target,
        grid.threshold as threshold
    from lengths
    cross join grid
    left join slo_expected as expected
        on grid.series = expected.series and grid.position = expected.position
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
