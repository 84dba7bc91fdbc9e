-- title: Regression features that follow from recorded changes
-- grain: one row per region, service and interval with any telemetry
-- materialized: run
-- audit: a change that names no service or no region counts for all of them; one that failed counts
--   for none
-- audit: counts are NULL when no change at all was recorded from 7 days before the window to its
--   end: then nobody records changes
with
intervals as (
    select region, service, position, window_start, window_end
    from feature_windows
),

changed as (
    select
        timestamp,
        region,
        service,
        kind,
        success,
        try_cast(old_value as double) as old_value,
        try_cast(new_value as double) as new_value
    from changes
    where timestamp >= $from - interval '7 days' and timestamp < $to
),

changes_known as (
    select count(*) > 0 as is_known
    from changed
),

services as (
    select distinct region, service
    from intervals
),

changed_services as (
    select
        services.region as region,
        services.service as service,
        changed.timestamp as timestamp,
        changed.kind as kind,
        case
            when changed.kind <> 'hyperparameter' then null
            -- Values that are no finite numbers cannot be measured against each other.
            when abs(changed.new_value - changed.old_value) < cast('Infinity' as double)
                then coalesce(
                    least(
                        abs(changed.new_value - changed.old_value)
                            / nullif(greatest(abs(changed.new_value), abs(changed.old_value)), 0.0),
                        1.0
                    ),
                    0.0
                )
        end as hyperparameter_drift
    from changed
    join services
        on changed.region in (services.region, 'unknown', 'global', 'all')
        and coalesce(changed.service, services.service) = services.service
    where coalesce(changed.success, true)
),

-- One pass: the last deployment of the week before, and what changed just before or during.
matched as (
    select
        intervals.region as region,
        intervals.service as service,
        intervals.position as position,
        intervals.window_end as window_end,
        changed_services.timestamp as timestamp,
        changed_services.kind as kind,
        changed_services.hyperparameter_drift as hyperparameter_drift,
        cast(changed_services.timestamp as bigint)
            >= cast(intervals.window_start as bigint) - lookback.change_lookback_seconds * 1000000
            as is_recent
    from intervals
    cross join (select change_lookback_seconds from settings_detection) as lookback
    left join changed_services
        on intervals.region = changed_services.region
        and intervals.service = changed_services.service
        and changed_services.timestamp < intervals.window_end
        and changed_services.timestamp >= intervals.window_start - interval '7 days'
),

counted as (
    select
        region,
        service,
        position,
        window_end,
        max(case when kind = 'deployment' then timestamp end) as deployed_at,
        sum(
            case
                when is_recent and kind in ('config', 'replicas', 'resource_limit') then 1.0
                else 0.0
            end
        ) as config_changes,
        sum(case when is_recent and kind = 'dependency' then 1.0 else 0.0 end)
            as dependency_changes,
        sum(case when is_recent and kind = 'policy' then 1.0 else 0.0 end) as policy_changes,
        coalesce(exact_avg(case when is_recent then hyperparameter_drift end), 0.0)
            as hyperparameter_drift
    from matched
    group by region, service, position, window_end
),

final as (
    select
        counted.region as region,
        counted.service as service,
        counted.position as position,
        (cast(counted.window_end as bigint) - cast(counted.deployed_at as bigint)) / 3.6e9
            as deployment_age_hours,
        case when changes_known.is_known then counted.config_changes end as config_change_count,
        case when changes_known.is_known then counted.dependency_changes end
            as dependency_change_count,
        case when changes_known.is_known then counted.hyperparameter_drift end
            as hyperparameter_drift_score,
        case when changes_known.is_known then counted.policy_changes end as policy_change_count
    from changes_known
    cross join counted
)

select
    region,
    service,
    position,
    deployment_age_hours,
    config_change_count,
    dependency_change_count,
    hyperparameter_drift_score,
    policy_change_count
from final
