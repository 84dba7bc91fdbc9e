-- title: Alerts that the rules of the settings would have raised
-- grain: one row per rule, series and stretch of time in which its condition held long enough
-- materialized: view
-- audit: replayed over what `tars record` has kept of the window
-- audit: a condition that holds in neighbouring intervals is one stretch; the alert fires when it
--   has held for `for_seconds`, and resolves with the interval in which it no longer holds
-- audit: an interval without a value ends a stretch, except for rules of what is absent: those look
--   at series with at least one value in the window, in intervals in which any series has one
with
rules as (
    select name, alert_group, series, label, comparison, threshold, for_seconds, severity, summary
    from settings_alert_rules
),

watched as (
    select
        rules.name as alert,
        rules.comparison as comparison,
        rules.threshold as threshold,
        series.slot as slot,
        series.interval_seconds as interval_seconds,
        series.region as region,
        series.service as service,
        series.label as label,
        series.value as value,
        series.unit as unit
    from rules
    join dashboard_series as series
        on rules.series = series.rule
        and (rules.label is null or rules.label = series.label)
),

slots as (
    select distinct interval_seconds, slot from watched
),

kept_series as (
    select alert, region, service, label, unit, interval_seconds, min(slot) as first_slot
    from watched
    where comparison = 'absent'
    group by alert, region, service, label, unit, interval_seconds
),

absent as (
    select kept_series.*, slots.slot as slot
    from kept_series
    join slots
        on kept_series.interval_seconds = slots.interval_seconds
        and slots.slot > kept_series.first_slot
    left join watched
        on kept_series.alert = watched.alert
        and kept_series.region = watched.region
        and kept_series.service = watched.service
        and kept_series.label = watched.label
        and slots.slot = watched.slot
        and slots.interval_seconds = watched.interval_seconds
    where watched.slot is null
),

held as (
    select alert, slot, interval_seconds, region, service, label, value, unit
    from watched
    where
        comparison = '>' and value > threshold
        or comparison = '<' and value < threshold
        or comparison = '>=' and value >= threshold
        or comparison = '<=' and value <= threshold
    union all
    select alert, slot, interval_seconds, region, service, label, cast(null as double), unit
    from absent
),

-- Neighbouring intervals share the difference between their position and their rank.
ranked as (
    select
        *,
        (cast(slot as bigint) - cast($from as bigint)) / (interval_seconds * 1000000)
            - row_number() over (
                partition by alert, region, service, label, interval_seconds order by slot
            ) as stretch
    from held
),

stretches as (
    select
        alert,
        region,
        service,
        label,
        unit,
        cast(min(slot) as bigint) as began,
        cast(max(slot) as bigint) + interval_seconds * 1000000 as ended,
        min(value) as lowest,
        max(value) as highest
    from ranked
    group by alert, region, service, label, unit, interval_seconds, stretch
),

final as (
    select
        rules.alert_group as alert_group,
        rules.name as alert,
        rules.severity as severity,
        stretches.region as region,
        stretches.service as service,
        stretches.label as label,
        arrow_cast(stretches.began, 'Timestamp(Microsecond, Some("UTC"))') as pending_at,
        arrow_cast(
            stretches.began + rules.for_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as fires_at,
        case
            when stretches.ended < cast($to as bigint)
                then arrow_cast(stretches.ended, 'Timestamp(Microsecond, Some("UTC"))')
        end as resolves_at,
        (stretches.ended - stretches.began) / 1000000 as held_seconds,
        case when rules.comparison in ('<', '<=') then stretches.lowest else stretches.highest end
            as worst,
        rules.comparison as comparison,
        rules.threshold as threshold,
        stretches.unit as unit,
        rules.summary as summary
    from stretches
    join rules on stretches.alert = rules.name
    where stretches.ended - stretches.began >= rules.for_seconds * 1000000
)

select
    alert_group,
    alert,
    severity,
    region,
    service,
    label,
    pending_at,
    fires_at,
    resolves_at,
    held_seconds,
    worst,
    comparison,
    threshold,
    unit,
    summary
from final
