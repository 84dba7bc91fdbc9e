-- title: The 21 regression features
-- grain: one row per region, service and interval of $interval_seconds from $from with any telemetry
-- materialized: run
-- audit: a feature is NULL where the telemetry for it is missing, in the interval or (deltas) the baseline
-- audit: relative deltas are current / baseline - 1, so 0.5 is half as much again; the baseline is the same
--   quantity of the same region and service over [$baseline_from, $baseline_to)
-- audit: metrics of a service come before metrics of its region that name no service; a change that names
--   no service or no region counts for all of them
--
-- reward_delta                relative; mean reward of evaluations, each agent type and environment against
--                             its own baseline
-- latency_delta               relative; p95 of request durations
-- error_rate_delta            difference of shares; failed requests over requests
-- throughput_delta            relative; requests per second
-- queue_depth_mean, _max      items; role queue_depth
-- queue_wait_time_p95         ms; of requests, else role queue_wait_ms, else of evaluations
-- cpu_utilization_mean        percent; role cpu_utilization
-- memory_utilization_mean     percent; role memory_utilization
-- disk_io_rate                operations per second; role disk_io, reads and writes added
-- deployment_age_hours        hours from the last deployment before the end of the interval; NULL when it
--                             is more than 7 days ago
-- config_change_count         changes of kind config, replicas or resource_limit in the interval or the
--                             `change_lookback_seconds` before it; likewise for
-- dependency_change_count     kind dependency, and
-- policy_change_count         kind policy
-- hyperparameter_drift_score  0 to 1; mean over such changes of kind hyperparameter of
--                             |new - old| / max(|new|, |old|), numeric values only
-- error_spike_detected        0 or 1; at least `spike_min_errors` errors, and an error rate above
--                             `spike_ratio` times the baseline's and above the baseline's by
--                             `spike_sigmas` standard errors
-- timeout_rate                share of requests that ran into a timeout
-- retry_rate                  retries per request, of requests that say how often they were retried
-- external_api_latency_delta  relative; p95 of calls to external APIs, else role external_api_latency_ms
-- database_latency_delta      relative; p95 of calls to databases, else role database_latency_ms
-- cache_hit_rate_delta        difference of shares; role cache_hit_rate
--
-- Counts of changes and hyperparameter drift are NULL when no change at all was recorded from 7 days
-- before the window to its end: then nobody records changes.
with
requested as (
    select
        region,
        service,
        position,
        latency_delta,
        error_rate_delta,
        throughput_delta,
        queue_wait_p95,
        error_spike_detected,
        timeout_rate,
        retry_rate
    from request_features
),

measured as (
    select
        region,
        service,
        position,
        queue_depth_mean,
        queue_depth_max,
        queue_wait_p95,
        cpu_utilization_mean,
        memory_utilization_mean,
        disk_io_rate,
        database_latency_delta,
        external_api_latency_delta,
        cache_hit_rate_delta
    from metric_features
),

called as (
    select region, service, position, database_latency_delta, external_api_latency_delta
    from call_features
),

rewarded as (
    select region, service, position, reward_delta, queue_wait_p95
    from reward_features
),

-- Every service and interval that says anything of itself.
windows as (
    select region, service, position from requested
    union
    select region, service, position from measured where service is not null
    union
    select region, service, position from called
    union
    select region, service, position from rewarded
),

spans_of_time as (
    select
        region,
        service,
        position,
        arrow_cast(
            cast($from as bigint) + position * $interval_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        -- The last interval ends with the range, where that is no multiple of its length.
        least(
            arrow_cast(
                cast($from as bigint) + (position + 1) * $interval_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end
    from windows
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
    from windows
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
        spans_of_time.region as region,
        spans_of_time.service as service,
        spans_of_time.position as position,
        max(changed_services.timestamp) as deployed_at
    from spans_of_time
    join changed_services
        on spans_of_time.region = changed_services.region
        and spans_of_time.service = changed_services.service
    where
        changed_services.kind = 'deployment'
        and changed_services.timestamp < spans_of_time.window_end
        and changed_services.timestamp >= spans_of_time.window_end - interval '7 days'
    group by spans_of_time.region, spans_of_time.service, spans_of_time.position
),

recent_changes as (
    select
        spans_of_time.region as region,
        spans_of_time.service as service,
        spans_of_time.position as position,
        sum(
            case when changed_services.kind in ('config', 'replicas', 'resource_limit') then 1 else 0 end
        ) as config_changes,
        sum(case when changed_services.kind = 'dependency' then 1 else 0 end) as dependency_changes,
        sum(case when changed_services.kind = 'policy' then 1 else 0 end) as policy_changes,
        exact_avg(changed_services.hyperparameter_drift) as hyperparameter_drift
    from spans_of_time
    cross join (select change_lookback_seconds from settings_detection) as lookback
    join changed_services
        on spans_of_time.region = changed_services.region
        and spans_of_time.service = changed_services.service
    where
        changed_services.timestamp < spans_of_time.window_end
        and cast(changed_services.timestamp as bigint)
            >= cast(spans_of_time.window_start as bigint) - lookback.change_lookback_seconds * 1000000
    group by spans_of_time.region, spans_of_time.service, spans_of_time.position
),

final as (
    select
        spans_of_time.region as region,
        spans_of_time.service as service,
        spans_of_time.window_start as window_start,
        spans_of_time.window_end as window_end,
        rewarded.reward_delta as reward_delta,
        requested.latency_delta as latency_delta,
        requested.error_rate_delta as error_rate_delta,
        requested.throughput_delta as throughput_delta,
        coalesce(own.queue_depth_mean, regional.queue_depth_mean) as queue_depth_mean,
        coalesce(own.queue_depth_max, regional.queue_depth_max) as queue_depth_max,
        coalesce(
            requested.queue_wait_p95, own.queue_wait_p95, rewarded.queue_wait_p95, regional.queue_wait_p95
        ) as queue_wait_time_p95,
        coalesce(own.cpu_utilization_mean, regional.cpu_utilization_mean) as cpu_utilization_mean,
        coalesce(own.memory_utilization_mean, regional.memory_utilization_mean)
            as memory_utilization_mean,
        coalesce(own.disk_io_rate, regional.disk_io_rate) as disk_io_rate,
        (cast(spans_of_time.window_end as bigint) - cast(deployed.deployed_at as bigint)) / 3.6e9
            as deployment_age_hours,
        case when changes_known.is_known then cast(coalesce(recent_changes.config_changes, 0) as double) end
            as config_change_count,
        case
            when changes_known.is_known
                then cast(coalesce(recent_changes.dependency_changes, 0) as double)
        end as dependency_change_count,
        case when changes_known.is_known then coalesce(recent_changes.hyperparameter_drift, 0.0) end
            as hyperparameter_drift_score,
        case when changes_known.is_known then cast(coalesce(recent_changes.policy_changes, 0) as double) end
            as policy_change_count,
        requested.error_spike_detected as error_spike_detected,
        requested.timeout_rate as timeout_rate,
        requested.retry_rate as retry_rate,
        coalesce(
            called.external_api_latency_delta,
            own.external_api_latency_delta,
            regional.external_api_latency_delta
        ) as external_api_latency_delta,
        coalesce(
            called.database_latency_delta, own.database_latency_delta, regional.database_latency_delta
        ) as database_latency_delta,
        coalesce(own.cache_hit_rate_delta, regional.cache_hit_rate_delta) as cache_hit_rate_delta
    from spans_of_time
    cross join changes_known
    left join requested
        on spans_of_time.region = requested.region
        and spans_of_time.service = requested.service
        and spans_of_time.position = requested.position
    left join measured as own
        on spans_of_time.region = own.region
        and spans_of_time.service = own.service
        and spans_of_time.position = own.position
    left join (select * from measured where service is null) as regional
        on spans_of_time.region = regional.region and spans_of_time.position = regional.position
    left join called
        on spans_of_time.region = called.region
        and spans_of_time.service = called.service
        and spans_of_time.position = called.position
    left join rewarded
        on spans_of_time.region = rewarded.region
        and spans_of_time.service = rewarded.service
        and spans_of_time.position = rewarded.position
    left join deployed
        on spans_of_time.region = deployed.region
        and spans_of_time.service = deployed.service
        and spans_of_time.position = deployed.position
    left join recent_changes
        on spans_of_time.region = recent_changes.region
        and spans_of_time.service = recent_changes.service
        and spans_of_time.position = recent_changes.position
)

select
    region,
    service,
    window_start,
    window_end,
    reward_delta,
    latency_delta,
    error_rate_delta,
    throughput_delta,
    queue_depth_mean,
    queue_depth_max,
    queue_wait_time_p95,
    cpu_utilization_mean,
    memory_utilization_mean,
    disk_io_rate,
    deployment_age_hours,
    config_change_count,
    dependency_change_count,
    hyperparameter_drift_score,
    policy_change_count,
    error_spike_detected,
    timeout_rate,
    retry_rate,
    external_api_latency_delta,
    database_latency_delta,
    cache_hit_rate_delta
from final
