-- title: Drift of every measured value from its baseline
-- grain: one row per check of the settings and region that was measured on either side, and `all`
-- materialized: run
-- audit: without data on both sides the status is NULL and `reason` says which side lacks it
with
measures as (
    select name, region, side, value, unit
    from drift_measures
),

places as (
    select distinct region from measures
    union
    select 'all' as region
),

units as (
    select name, max(unit) as unit
    from measures
    group by name
),

sides as (
    select
        name,
        region,
        max(case when side = 'baseline' then value end) as baseline_value,
        max(case when side = 'current' then value end) as current_value
    from measures
    group by name, region
),

compared as (
    select
        checks.name as name,
        checks.category as category,
        places.region as region,
        sides.baseline_value as baseline_value,
        sides.current_value as current_value,
        drift_percent(sides.baseline_value, sides.current_value) as drift_percent,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        -- A movement too small to matter in absolute terms is none, however large its percentage.
        coalesce(abs(sides.current_value - sides.baseline_value) < checks.floor, false) as is_small,
        units.unit as unit
    from settings_drift as checks
    cross join places
    left join sides on checks.name = sides.name and places.region = sides.region
    left join units on checks.name = units.name
    -- These are figures of intervals alone.
    where
        checks.name not in (
            'api_latency_distribution', 'reported_request_rate', 'reward', 'route_slow_requests'
        )
),

final as (
    select
        name,
        category,
        region,
        baseline_value,
        current_value,
        drift_percent,
        threshold_percent,
        case
            when is_small then 'ok'
            else drift_status(
                category, drift_percent, threshold_percent, warning_percent, critical_percent
            )
        end as status,
        unit,
        case
            when baseline_value is null and current_value is null then 'no data on either side'
            when baseline_value is null then 'no data in the baseline'
            when current_value is null then 'no data in the window'
            when is_small and drift_percent <> 0 then 'difference below the floor'
            when baseline_value = 0 and current_value <> 0 then 'the baseline is zero'
        end as reason
    from compared
)

select
    name,
    category,
    region,
    baseline_value,
    current_value,
    drift_percent,
    threshold_percent,
    status,
    unit,
    reason
from final
