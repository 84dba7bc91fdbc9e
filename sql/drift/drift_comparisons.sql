-- title: Figures of every interval beside those they are compared with
-- grain: one row per interval of the window, region (and `all`), service (and `all`) and check name
--   that was measured in the window or in the baseline
-- materialized: view
-- audit: `size_status` is what the size of the movement says; `p_value`, of what moved beyond its
--   limit, the larger of two probabilities: against the counts behind the figure, and against the
--   spread of the baseline's intervals
-- audit: `may_drift` is false where size or chance rule drift out before either is computed: filter
--   by it, and a month of them is not unpacked
-- audit: `api_latency_distribution` compares the latencies of an hour, in the check at its end
with
pairs as (
    select * from drift_pairs
),

requests as (
    select season, region, service, name, slot, value, events, trials, latency
    from drift_points
    where side = 'current'
),

-- Metrics and rewards, and of them what lies far enough.
packed as (
    select
        series.season as season,
        series.region as region,
        series.service as service,
        series.name as name,
        series.series as series,
        series_beyond(
            series.series,
            pairs.baseline_value,
            pairs.size_limit,
            pairs.center,
            pairs.chance_limit,
            pairs.before,
            pairs.after,
            cast($from as bigint) / 1000000,
            $interval_seconds
        ) as far
    from drift_series as series
    join pairs
        on series.season = pairs.season
        and series.region = pairs.region
        and series.service = pairs.service
        and series.name = pairs.name
    where series.side = 'current'
),

far_points as (
    select season, region, service, name, unnest(series_points(far)) as point
    from packed
),

near_points as (
    select season, region, service, name, unnest(series_points(series_except(series, far))) as point
    from packed
),

seen as (
    select season, region, service, name, series
    from drift_series
    where side = 'current'
    union all
    select season, region, service, name, interval_series(slot, 1.0) as series
    from requests
    group by season, region, service, name
),

-- Every series at every interval that was looked at, so that a gap shows.
gaps as (
    select
        pairs.season as season,
        pairs.region as region,
        pairs.service as service,
        pairs.name as name,
        unnest(series_points(series_except(slots.slots, seen.series))) as point
    from pairs
    join drift_slots as slots on pairs.season = slots.season
    left join seen
        on pairs.season = seen.season
        and pairs.region = seen.region
        and pairs.service = seen.service
        and pairs.name = seen.name
),

figures as (
    select
        season,
        region,
        service,
        name,
        slot,
        value,
        events,
        trials,
        latency,
        true as may_drift
    from requests
    union all
    select
        season,
        region,
        service,
        name,
        point['slot'] as slot,
        point['value'] as value,
        null as events,
        null as trials,
        null as latency,
        true as may_drift
    from far_points
    union all
    select
        season,
        region,
        service,
        name,
        point['slot'] as slot,
        point['value'] as value,
        null as events,
        null as trials,
        null as latency,
        false as may_drift
    from near_points
    union all
    select
        season,
        region,
        service,
        name,
        point['slot'] as slot,
        null as value,
        null as events,
        null as trials,
        null as latency,
        false as may_drift
    from gaps
),

-- Where in its hour an interval has its middle, -1/2 to 1/2; intervals of an hour or more have one
-- level.
phased as (
    select
        *,
        case
            when season < 0 or $interval_seconds >= 3600 then 0.0
            else (
                (cast($from as bigint) / 1000000 + slot * $interval_seconds) % 3600
                + $interval_seconds / 2.0
            ) / 3600.0 - 0.5
        end as phase
    from figures
),

-- Places are those of the figures, so that who asks for some reads the series of no others.
leveled as (
    select
        figures.slot as slot,
        figures.region as region,
        figures.service as service,
        figures.name as name,
        figures.value as current_value,
        figures.events as events,
        figures.trials as trials,
        figures.latency as latency,
        figures.may_drift as may_drift,
        pairs.category as category,
        pairs.threshold_percent as threshold_percent,
        pairs.warning_percent as warning_percent,
        pairs.critical_percent as critical_percent,
        pairs.floor as floor,
        pairs.baseline_value as baseline_value,
        pairs.unit as unit,
        pairs.center as center,
        pairs.spread as spread,
        pairs.intervals as intervals,
        pairs.baseline_events as baseline_events,
        pairs.baseline_trials as baseline_trials,
        pairs.is_unlike as is_unlike,
        1.0 + figures.phase
            * case when figures.phase < 0.0 then 1.0 - pairs.before else pairs.after - 1.0 end
            as level
    from phased as figures
    join pairs
        on figures.season = pairs.season
        and figures.region = pairs.region
        and figures.service = pairs.service
        and figures.name = pairs.name
),

placed as (
    select
        region,
        service,
        name,
        category,
        threshold_percent,
        warning_percent,
        critical_percent,
        floor,
        baseline_value * level as baseline_value,
        unit,
        center * level as center,
        spread * level as spread,
        intervals,
        baseline_events * level as baseline_events,
        baseline_trials,
        is_unlike,
        slot,
        current_value,
        events,
        trials,
        latency,
        may_drift
    from leveled
),

sized as (
    select
        *,
        drift_percent(baseline_value, current_value) as drift_percent,
        -- A movement too small to matter in absolute terms is none, however large its percentage.
        case
            when abs(current_value - baseline_value) < floor then 'ok'
            else drift_status(
                category,
                drift_percent(baseline_value, current_value),
                threshold_percent,
                warning_percent,
                critical_percent
            )
        end as size_status
    from placed
),

-- Chance is only asked about what has moved far enough; counts are those of requests.
asked as (
    select
        sized.*,
        case
            when coalesce(size_status, 'ok') = 'ok' or category = 'configuration' then null
            when name in ('error_rate', 'request_rate')
                then count_ratio_p(events, trials, baseline_events, baseline_trials)
            when name = 'api_latency_p50' and latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_within(latency, baseline_value)), trials,
                    baseline_trials * 0.50, baseline_trials
                )
            when name = 'api_latency_p99' and latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_within(latency, baseline_value)), trials,
                    baseline_trials * 0.01, baseline_trials
                )
            when latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_within(latency, baseline_value)), trials,
                    baseline_trials * 0.05, baseline_trials
                )
        end as count_p,
        case
            when coalesce(size_status, 'ok') = 'ok' or category = 'configuration' then null
            when intervals >= evidence.min_intervals
                then student_p(
                    (current_value - center) / (spread * sqrt(1.0 + 1.0 / intervals)),
                    intervals - 1
                )
        end as spread_p
    from settings_drift_evidence as evidence
    cross join sized
),

compared as (
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
        drift_percent,
        size_status,
        greatest(count_p, spread_p) as p_value,
        unit,
        is_unlike,
        null as measured,
        may_drift
    from asked
    union all
    select *
    from drift_statistics
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
    drift_percent,
    size_status,
    p_value,
    unit,
    is_unlike,
    arrow_cast(measured, 'Utf8') as measured,
    may_drift
from compared
