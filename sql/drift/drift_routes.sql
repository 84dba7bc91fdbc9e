-- title: Requests of single routes that took longer than they do in the baseline
-- grain: one row per interval, region and service that serves several routes, of which one known on
--   both sides was served in it
-- materialized: once
-- audit: a request is slow when it took longer than `drift_route_limits` says; `current_value` is
--   the share of slow requests of the route that is hardest to explain by chance, and `measured`
--   names it
-- audit: one slow route among many hardly moves the latency of its service, least where others are
--   slower by nature
-- audit: the p-value is that of the route times the number of routes judged beside it (Bonferroni)
with
centers as (
    select
        region,
        service,
        route,
        median(share) as center,
        1.4826 * mad(share) as spread,
        cast(count(*) as double) as intervals
    from drift_route_pools as pooled
    where side = 'baseline'
    group by region, service, route
),

squares as (
    select
        pooled.region as region,
        pooled.service as service,
        pooled.route as route,
        exact_sum((pooled.share - centers.center) * (pooled.share - centers.center)) as squares
    from drift_route_pools as pooled
    join centers
        on pooled.region = centers.region
        and pooled.service = centers.service
        and pooled.route = centers.route
    where pooled.side = 'baseline'
    group by pooled.region, pooled.service, pooled.route
),

baseline as (
    select
        limits.region as region,
        limits.service as service,
        limits.route as route,
        limits.slow_from as slow_from,
        limits.trials as trials,
        limits.share as share,
        centers.center as center,
        coalesce(
            nullif(centers.spread, 0.0),
            sqrt(squares.squares / nullif(centers.intervals - 1.0, 0.0))
        ) as spread,
        centers.intervals as intervals
    from drift_route_limits as limits
    join centers
        on limits.region = centers.region
        and limits.service = centers.service
        and limits.route = centers.route
    join squares
        on limits.region = squares.region
        and limits.service = squares.service
        and limits.route = squares.route
),

sized as (
    select
        pooled.slot as slot,
        pooled.region as region,
        pooled.service as service,
        pooled.route as route,
        pooled.trials as trials,
        pooled.events as events,
        pooled.share as current_value,
        baseline.share as baseline_value,
        baseline.trials as baseline_trials,
        baseline.center as center,
        baseline.spread as spread,
        baseline.intervals as intervals,
        baseline.slow_from as slow_from,
        checks.name as name,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.floor as floor,
        case
            when pooled.share - baseline.share < checks.floor then 'ok'
            else drift_status(
                checks.category,
                drift_percent(baseline.share, pooled.share),
                checks.threshold_percent,
                checks.warning_percent,
                checks.critical_percent
            )
        end as size_status
    from drift_route_pools as pooled
    join baseline
        on pooled.region = baseline.region
        and pooled.service = baseline.service
        and pooled.route = baseline.route
    join settings_drift as checks on checks.name = 'route_slow_requests'
    where pooled.side = 'current'
),

asked as (
    select
        sized.*,
        case
            when size_status <> 'ok'
                then greatest(
                    count_ratio_p(
                        events, trials, baseline_value * baseline_trials, baseline_trials
                    ),
                    case
                        when intervals >= evidence.min_intervals
                            then student_p(
                                (current_value - center) / (spread * sqrt(1.0 + 1.0 / intervals)),
                                intervals - 1.0
                            )
                    end
                )
        end as p_value
    from settings_drift_evidence as evidence
    cross join sized
),

ranked as (
    select
        asked.*,
        count(*) over (partition by slot, region, service) as routes,
        row_number() over (
            partition by slot, region, service
            order by p_value nulls last, current_value - baseline_value desc, route
        ) as place
    from asked
)

select
    slot,
    region,
    service,
    name,
    category,
    threshold_percent,
    floor,
    baseline_value,
    current_value,
    drift_percent(baseline_value, current_value) as drift_percent,
    size_status,
    case when p_value is not null then least(p_value * routes, 1.0) end as p_value,
    '1' as unit,
    case
        when size_status <> 'ok'
            then route || ': ' || cast(round(events) as bigint) || ' of '
                || cast(cast(trials as bigint) as varchar) || ' above '
                || cast(round(slow_from, 1) as varchar) || ' ms'
    end as measured
from ranked
where place = 1
