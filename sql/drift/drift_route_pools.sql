-- title: Shares of slow requests of single routes in the window, packed
-- grain: one row per region, service and route known on both sides
-- materialized: once
-- audit: `series` holds, for every interval in which the route was served, its requests over the
--   trailing intervals that are judged together
-- audit: nothing within `size_limit` of `share`, or within `chance_limit` of `center`, can be
--   drift; they are a hair too small, so that rounding leaves nothing out
-- audit: settings stand beside each route, so that nothing unpacked has to be joined with them
with
past as (
    select
        baseline.region as region,
        baseline.service as service,
        baseline.route as route,
        baseline.slow_from as slow_from,
        baseline.trials as trials,
        baseline.share as share,
        baseline.center as center,
        baseline.spread as spread,
        baseline.intervals as intervals,
        baseline.pooled as pooled,
        checks.name as name,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        checks.floor as floor,
        evidence.false_alarm_rate as false_alarm_rate,
        evidence.min_intervals as min_intervals,
        greatest(
            checks.floor,
            baseline.share / 100.0 * least(
                checks.threshold_percent, checks.warning_percent, checks.critical_percent
            )
        ) * (1.0 - 1e-9) as size_limit,
        case
            when baseline.intervals >= evidence.min_intervals
                then student_t(
                    evidence.false_alarm_rate, cast(baseline.intervals as double) - 1.0
                )
                    * baseline.spread * sqrt(1.0 + 1.0 / baseline.intervals) * (1.0 - 1e-9)
        end as chance_limit
    from settings_drift_evidence as evidence
    cross join drift_route_baseline as baseline
    join settings_drift as checks on checks.name = 'route_slow_requests'
)

select
    past.region as region,
    past.service as service,
    past.route as route,
    past.slow_from as slow_from,
    past.trials as trials,
    past.share as share,
    past.center as center,
    past.spread as spread,
    past.intervals as intervals,
    past.name as name,
    past.category as category,
    past.threshold_percent as threshold_percent,
    past.warning_percent as warning_percent,
    past.critical_percent as critical_percent,
    past.floor as floor,
    past.false_alarm_rate as false_alarm_rate,
    past.min_intervals as min_intervals,
    past.size_limit as size_limit,
    past.chance_limit as chance_limit,
    series_trailing(served.series, past.pooled) as series
from past
join drift_route_series as served
    on past.region = served.region
    and past.service = served.service
    and past.route = served.route
where served.side = 'current'
