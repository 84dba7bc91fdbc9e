-- title: What slow requests of single routes are compared with
-- grain: one row per region, service that serves several routes, and route known in the baseline
-- materialized: once
-- audit: a route with few requests is judged over `pooled` trailing intervals, in the window as in
--   the baseline, as in drift_requests: until they hold `min_events` of the baseline's requests on
--   average, `max_pooled` at most
-- audit: `center` and `spread` are those of the shares of such intervals, as in drift_baseline
with
past as (
    select region, service, route, series
    from drift_route_series
    where side = 'baseline'
),

served as (
    select cast(array_length(series_points(series_sum(series_marks(series)))) as double)
        as intervals
    from past
),

widths as (
    select
        limits.region as region,
        limits.service as service,
        limits.route as route,
        limits.slow_from as slow_from,
        limits.trials as trials,
        limits.share as share,
        past.series as series,
        cast(
            greatest(
                least(
                    ceil(evidence.min_events * served.intervals / limits.trials),
                    evidence.max_pooled
                ),
                1
            ) as bigint
        ) as pooled
    from settings_drift_evidence as evidence
    cross join served
    cross join drift_route_limits as limits
    join past
        on limits.region = past.region
        and limits.service = past.service
        and limits.route = past.route
),

profiled as (
    select
        region,
        service,
        route,
        slow_from,
        trials,
        share,
        pooled,
        unnest(
            series_profile(series_trailing(series, pooled), 0, $interval_seconds, 'none')
        ) as profile
    from widths
),

final as (
    select
        region,
        service,
        route,
        slow_from,
        trials,
        share,
        profile['center'] as center,
        profile['spread'] as spread,
        profile['intervals'] as intervals,
        pooled
    from profiled
    union all
    select
        region,
        service,
        route,
        slow_from,
        trials,
        value as share,
        center,
        spread,
        intervals,
        pooled
    from baselines
    where
        $baseline_name <> ''
        and name = $baseline_name
        and version = $baseline_version
        and measure = 'route_slow_requests'
        and route is not null
)

select region, service, route, slow_from, trials, share, center, spread, intervals, pooled
from final
