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

deployed as (
    select
        intervals.region as region,
        intervals.service as service,
        intervals.position as position,
        max(changed_services.timestamp) as deployed_at
    from intervals
    join changed_services
        on intervals.region = changed_services.region
        and intervals.service = changed_services.service
    where
        changed_services.kind = 'deployment'
        and changed_services.timestamp < intervals.window_end
        and changed_services.timestamp >= intervals.window_end - interval '7 days'
    group by intervals.region, intervals.service, intervals.position
),

recent_changes as (
    select
        intervals.region as region,
        intervals.service as service,
        intervals.position as position,
        sum(
            case
                when changed_services.kind in ('config', 'replicas', 'resource_limit') then 1
                else 0
            end
        ) as config_changes,
        sum(case when changed_services.kind = 'dependency' then 1 else 0 end) as dependency_changes,
        sum(case when changed_services.kind = 'policy' then 1 else 0 end) as policy_changes,
        exact_avg(changed_services.hyperparameter_drift) as hyperparameter_drift
    from intervals
    cross join (select change_lookback_seconds from settings_detection) as lookback
    join changed_services
        on intervals.region = changed_services.region
        and intervals.service = changed_services.service
    where
        changed_services.timestamp < intervals.window_end
        and cast(changed_services.timestamp as bigint)
            >= cast(intervals.window_start as bigint) - lookback.change_lookback_seconds * 1000000
    group by intervals.region, intervals.service, intervals.position
),

final as (
    select
        intervals.region as region,
        intervals.service as service,
        intervals.position as position,
        (cast(intervals.window_end as bigint) - cast(deployed.deployed_at as bigint)) / 3.6e9
            as deployment_age_hours,
        case
            when changes_known.is_known
                then cast(coalesce(recent_changes.config_changes, 0) as double)
        end as config_change_count,
        case
            when changes_known.is_known
                then cast(coalesce(recent_changes.dependency_changes, 0) as double)
        end as dependency_change_count,
        case when changes_known.is_known then coalesce(recent_changes.hyperparameter_drift, 0.0) end
            as hyperparameter_drift_score,
        case
            when changes_known.is_known
                then cast(coalesce(recent_changes.policy_changes, 0) as double)
        end as policy_change_count
    from intervals
    cross join changes_known
    left join deployed
        on intervals.region = deployed.region
        and intervals.service = deployed.service
        and intervals.position = deployed.position
    left join recent_changes
        on intervals.region = recent_changes.region
        and intervals.service = recent_changes.service
        and intervals.position = recent_changes.position
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
