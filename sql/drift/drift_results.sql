-- title: Drift checks interval by interval
-- grain: one row per interval of the window, region (and `all`), service (and `all`) and check name
--   that was measured in the window or in the baseline
-- materialized: view
-- audit: a movement is drift when it is beyond the limit of its check and, unless it is one of
--   configuration, hardly chance: `p_value` is the larger of two, against the counts behind the
--   figure and against the spread of the baseline's intervals, and has to pass
--   Benjamini-Hochberg over all checks of the run
-- audit: without data on both sides the status is NULL and `reason` says which side lacks it
with
points as (
    select slot, season, region, service, name, value, events, trials, latency, unit
    from drift_points
    where side = 'current'
),

baseline as (
    select
        season,
        region,
        service,
        name,
        value,
        center,
        spread,
        intervals,
        events,
        trials,
        unit
    from drift_baseline
),

-- Every series at every interval that was looked at, so that a gap shows.
series as (
    select distinct region, service, name from points
    union
    select distinct region, service, name from baseline
),

slots as (
    select distinct slot, season from points
),

paired as (
    select
        slots.slot as slot,
        series.region as region,
        series.service as service,
        series.name as name,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        checks.floor as floor,
        baseline.value as baseline_value,
        points.value as current_value,
        coalesce(points.unit, baseline.unit) as unit,
        points.events as events,
        points.trials as trials,
        points.latency as latency,
        baseline.center as center,
        baseline.spread as spread,
        baseline.intervals as intervals,
        baseline.events as baseline_events,
        baseline.trials as baseline_trials
    from slots
    cross join series
    join settings_drift as checks on series.name = checks.name
    left join points
        on slots.slot = points.slot
        and series.region = points.region
        and series.service = points.service
        and series.name = points.name
    left join baseline
        on slots.season = baseline.season
        and series.region = baseline.region
        and series.service = baseline.service
        and series.name = baseline.name
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
    from paired
),

-- Chance is only asked about what has moved far enough.
asked as (
    select
        sized.*,
        case
            when size_status = 'ok' or category = 'configuration' then null
            when name in ('error_rate', 'request_rate')
                then count_ratio_p(events, trials, baseline_events, baseline_trials)
            when name = 'api_latency_p50' and latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_below(latency, baseline_value)), trials,
                    baseline_trials * 0.50, baseline_trials
                )
            when name = 'api_latency_p99' and latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_below(latency, baseline_value)), trials,
                    baseline_trials * 0.01, baseline_trials
                )
            when latency is not null
                then count_ratio_p(
                    trials * (1.0 - sketch_share_below(latency, baseline_value)), trials,
                    baseline_trials * 0.05, baseline_trials
                )
        end as count_p,
        case
            when size_status = 'ok' or category = 'configuration' then null
            when intervals >= evidence.min_intervals
                then student_p(
                    (current_value - center) / (spread * sqrt(1.0 + 1.0 / intervals)),
                    intervals - 1
                )
        end as spread_p,
        evidence.false_alarm_rate as false_alarm_rate
    from sized
    cross join settings_drift_evidence as evidence
),

tested as (
    select
        *,
        greatest(count_p, spread_p) as p_value,
        -- Everything that was compared counts as tried, not only what has moved.
        sum(case when size_status is not null and category <> 'configuration' then 1 else 0 end)
            over () as tests
    from asked
),

ranked as (
    select
        *,
        count(p_value) over (
            partition by size_status = 'ok' or p_value is null
            order by p_value
            range between unbounded preceding and current row
        ) as place
    from tested
),

judged as (
    select
        *,
        max(case when p_value <= false_alarm_rate * place / tests then p_value end) over ()
            as largest_p
    from ranked
),

recorded as (
    select
        (cast(changes.timestamp as bigint) - cast($from as bigint))
            / ($interval_seconds * 1000000) as slot,
        changes.region as region,
        coalesce(changes.service, 'unknown') as service,
        changes.kind || coalesce(' ' || changes.key, '') as name,
        changes.old_value as old_value,
        changes.new_value as new_value
    from changes
    cross join settings_drift_evidence as evidence
    where
        changes.timestamp >= $from
        and changes.timestamp < $to
        and coalesce(changes.success, true)
        and (changes.old_value is distinct from changes.new_value)
        and array_has(string_to_array(evidence.change_kinds, ','), changes.kind)
),

strictest as (
    select
        max(threshold_percent) as threshold_percent
    from settings_drift
    where category = 'configuration'
),

results as (
    select
        slot,
        region,
        service,
        name,
        category,
        baseline_value,
        current_value,
        drift_percent,
        threshold_percent,
        case
            when size_status in ('ok') or category = 'configuration' or p_value is null
                then size_status
            when p_value <= largest_p then size_status
            else 'ok'
        end as status,
        p_value,
        unit,
        case
            when baseline_value is null and current_value is null then 'no data on either side'
            when baseline_value is null then 'no data in the baseline'
            when current_value is null then 'no data in the interval'
            when size_status = 'ok' and drift_percent <> 0.0 and abs(current_value - baseline_value) < floor
                then 'difference below the floor'
            when size_status <> 'ok' and category <> 'configuration' and p_value is null
                then 'by size alone: the baseline has no spread'
            when size_status <> 'ok' and p_value > coalesce(largest_p, 0.0) then 'may be chance'
            when baseline_value = 0.0 and current_value <> 0.0 then 'the baseline is zero'
        end as reason
    from judged
    union all
    select
        recorded.slot as slot,
        recorded.region as region,
        recorded.service as service,
        recorded.name as name,
        'configuration' as category,
        try_cast(recorded.old_value as double) as baseline_value,
        try_cast(recorded.new_value as double) as current_value,
        drift_percent(
            try_cast(recorded.old_value as double), try_cast(recorded.new_value as double)
        ) as drift_percent,
        coalesce(strictest.threshold_percent, 0.0) as threshold_percent,
        'critical' as status,
        null as p_value,
        null as unit,
        'recorded change from ' || coalesce(recorded.old_value, 'nothing') || ' to '
            || coalesce(recorded.new_value, 'nothing') as reason
    from recorded
    cross join strictest
),

-- The union mixes kinds of strings, which readers such as CSV writers do not take.
final as (
    select
        slot + 1 as check_number,
        arrow_cast(
            cast($from as bigint) + slot * $interval_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as interval_start,
        arrow_cast(
            least(
                cast($from as bigint) + (slot + 1) * $interval_seconds * 1000000,
                cast($to as bigint)
            ),
            'Timestamp(Microsecond, Some("UTC"))'
        ) as timestamp,
        region,
        service,
        arrow_cast(name, 'Utf8') as name,
        category,
        baseline_value,
        current_value,
        drift_percent,
        threshold_percent,
        status,
        p_value,
        arrow_cast(unit, 'Utf8') as unit,
        arrow_cast(reason, 'Utf8') as reason
    from results
)

select
    check_number,
    interval_start,
    timestamp,
    region,
    service,
    name,
    category,
    baseline_value,
    current_value,
    drift_percent,
    threshold_percent,
    status,
    p_value,
    unit,
    reason
from final
