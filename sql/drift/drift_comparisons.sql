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

series as (
    select season, region, service, name, series, is_counted
    from drift_series
    where side = 'current'
),

-- What lies far enough.
packed as (
    select
        series.season as season,
        series.region as region,
        series.service as service,
        series.name as name,
        series.is_counted as is_counted,
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
    from series
    join pairs
        on series.season = pairs.season
        and series.region = pairs.region
        and series.service = pairs.service
        and series.name = pairs.name
),

unpacked as (
    select
        season,
        region,
        service,
        name,
        is_counted,
        unnest(series_points(far)) as point,
        true as may_drift
    from packed
    union all
    select
        season,
        region,
        service,
        name,
        is_counted,
        unnest(series_points(series_except(series, far))) as point,
        false as may_drift
    from packed
),

points as (
    select
        season,
        region,
        service,
        name,
        point['slot'] as slot,
        point['value'] as value,
        case when is_counted then cast(point['samples'] as double) end as trials,
        is_counted and name not in ('error_rate', 'request_rate') as is_latency,
        case name
            when 'database_latency_p95' then 'database'
            when 'external_api_latency_ms' then 'external'
            else 'requests'
        end as kind,
        may_drift
    from unpacked
),

-- Chance is asked about the requests behind a latency.
latencies as (
    select
        points.season as season,
        points.region as region,
        points.service as service,
        points.name as name,
        points.slot as slot,
        points.value as value,
        requests.latency as latency,
        points.may_drift as may_drift
    from points
    join drift_requests as requests
        on points.slot = requests.slot
        and points.kind = requests.kind
        and points.region = requests.region
        and points.service = requests.service
    where points.is_latency and requests.side = 'current'
),

-- Every series at every interval that was looked at, so that a gap shows.
gaps as (
    select
        pairs.season as season,
        pairs.region as region,
        pairs.service as service,
        pairs.name as name,
        unnest(series_points(series_except(slots.slots, series.series))) as point
    from pairs
    join drift_slots as slots on pairs.season = slots.season
    left join series
        on pairs.season = series.season
        and pairs.region = series.region
        and pairs.service = series.service
        and pairs.name = series.name
),

figures as (
    select
        season,
        region,
        service,
        name,
        slot,
        value,
        round(value * trials) as events,
        trials,
        null as latency,
        may_drift
    from points
    where not is_latency
    union all
    select
        season,
        region,
        service,
        name,
        slot,
        value,
        null as events,
        cast(sketch_count(latency) as double) as trials,
        latency,
        may_drift
    from latencies
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
