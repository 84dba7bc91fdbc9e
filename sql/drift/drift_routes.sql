-- title: Requests of single routes that took longer than they do in the baseline
-- grain: one row per interval, region and service that serves several routes, of which one known on
--   both sides was served in it
-- materialized: once
-- audit: a request is slow when it took longer than the 95th percentile of its route in the baseline
--   by more than the check's limit; `current_value` is the share of slow requests of the route
--   that is hardest to explain by chance, and `measured` names it
-- audit: one slow route among many hardly moves the latency of its service, least where others are
--   slower by nature
-- audit: a route with few requests is judged over trailing intervals, as in drift_points; the p-value
--   is that of the route times the number of routes judged beside it (Bonferroni)
with
sides as (
    select side, since, until
    from (
        values
            ('current', $from, $to),
            ('baseline', $baseline_from, $baseline_to)
    ) as listed (side, since, until)
    -- Kept baselines know no routes.
    where $baseline_name = ''
),

parts as (
    select
        sides.side as side,
        (cast(requests.slot as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000) as slot,
        requests.region as region,
        requests.service as service,
        requests.route as route,
        sketch_merge(requests.latency) as latency
    from request_slots as requests
    join sides on requests.slot >= sides.since and requests.slot < sides.until
    where requests.route is not null
    group by 1, 2, 3, 4, 5
),

past as (
    select region, service, route, sketch_merge(latency) as latency
    from parts
    where side = 'baseline'
    group by region, service, route
),

several as (
    select region, service
    from past
    group by region, service
    having count(*) > 1
),

limits as (
    select
        past.region as region,
        past.service as service,
        past.route as route,
        past.latency as latency,
        sketch_quantile(past.latency, 0.95)
            * (1.0 + least(checks.threshold_percent, checks.warning_percent) / 100.0) as slow_from
    from settings_drift as checks
    cross join past
    join several on past.region = several.region and past.service = several.service
    where checks.name = 'route_slow_requests' and sketch_count(past.latency) > 0
),

counted as (
    select
        parts.side as side,
        parts.slot as slot,
        parts.region as region,
        parts.service as service,
        parts.route as route,
        cast(sketch_count(parts.latency) as double) as trials,
        sketch_count(parts.latency) * (1.0 - sketch_share_below(parts.latency, limits.slow_from))
            as events
    from parts
    join limits
        on parts.region = limits.region
        and parts.service = limits.service
        and parts.route = limits.route
    where sketch_count(parts.latency) > 0
),

served as (
    select cast(count(*) as double) as intervals
    from (select distinct side, slot from parts) as slots
),

-- Each interval counts for itself and for those after it that still look back on it.
widths as (
    select
        counted.region as region,
        counted.service as service,
        counted.route as route,
        cast(
            greatest(
                least(
                    ceil(max(evidence.min_events) * max(served.intervals) / sum(counted.trials)),
                    max(evidence.max_pooled)
                ),
                1
            ) as bigint
        ) as width
    from settings_drift_evidence as evidence
    cross join served
    cross join counted
    group by counted.region, counted.service, counted.route
),

spread_out as (
    select
        counted.side as side,
        counted.slot as slot,
        unnest(generate_series(0, widths.width - 1)) as later,
        counted.region as region,
        counted.service as service,
        counted.route as route,
        counted.trials as trials,
        counted.events as events
    from counted
    join widths
        on counted.region = widths.region
        and counted.service = widths.service
        and counted.route = widths.route
),

-- Nothing new is known of a route in an interval in which it was not served.
pooled as (
    select
        side,
        slot + later as slot,
        region,
        service,
        route,
        exact_sum(trials) as trials,
        exact_sum(events) as events,
        exact_sum(events) / exact_sum(trials) as share
    from spread_out
    group by side, slot + later, region, service, route
    having min(later) = 0
),

centers as (
    select
        region,
        service,
        route,
        median(share) as center,
        1.4826 * mad(share) as spread,
        cast(count(*) as double) as intervals
    from pooled
    where side = 'baseline'
    group by region, service, route
),

squares as (
    select
        pooled.region as region,
        pooled.service as service,
        pooled.route as route,
        exact_sum((pooled.share - centers.center) * (pooled.share - centers.center)) as squares
    from pooled
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
        cast(sketch_count(limits.latency) as double) as trials,
        1.0 - sketch_share_below(limits.latency, limits.slow_from) as share,
        centers.center as center,
        coalesce(
            nullif(centers.spread, 0.0),
            sqrt(squares.squares / nullif(centers.intervals - 1.0, 0.0))
        ) as spread,
        centers.intervals as intervals
    from limits
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
    from pooled
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
