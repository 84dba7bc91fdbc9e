-- title: The 21 regression features
-- grain: one row per region, service and interval of $interval_seconds from $from with any
--   telemetry
-- materialized: run
-- audit: a feature is NULL where the telemetry for it is missing, in the interval or (deltas) the
--   baseline
-- audit: what is usual is the median over twelve parts of [$baseline_from, $baseline_to) of the same
--   quantity of the same region and service; relative deltas are current / usual - 1, so 0.5 is
--   half as much again
-- audit: levels are measured from what is usual (from 0 without a baseline): no feature says which
--   service it is
-- audit: metrics of a service come before metrics of its region that name no service; a change that
--   names no service or no region counts for all of them
--
-- reward_delta: relative; mean reward of evaluations, each agent type and environment against its
--   own baseline
-- latency_delta: relative; p95 of request durations; a rise is 0 unless the share of requests above
--   the usual p95 exceeds 5 % by `latency_sigmas` standard errors; of an interval of fewer than
--   `min_samples` requests together with those before it, `pooled_windows` at most
-- error_rate_delta: difference of shares; failed requests over requests; of a service that is read
--   from spans, its error lines count as failed requests where they are more; few requests as for
--   latency
-- throughput_delta: relative; requests per second
-- queue_depth_mean, queue_depth_max: items above the usual; role queue_depth
-- queue_wait_time_p95: ms above the usual; of requests, else role queue_wait_ms, else of evaluations
-- cpu_utilization_mean, memory_utilization_mean: percent of the usual headroom: (x - usual) / (100 -
--   usual) * 100, so 0 is as usual and 100 is saturated; the roles of these names
-- disk_io_rate: operations per second above the usual; role disk_io, else reads and writes added
-- deployment_age_hours: hours from the last deployment to the end of the interval; NULL when there
--   was none in the 7 days before
-- config_change_count: changes of kind config, replicas or resource_limit in the interval or the
--   `change_lookback_seconds` before it
-- dependency_change_count, policy_change_count: likewise, changes of these kinds
-- hyperparameter_drift_score: 0 to 1; likewise, the mean over changes of kind hyperparameter of
--   |new - old| / max(|new|, |old|), numeric values only
-- error_spike_detected: 0 or 1; at least `spike_min_errors` errors, at an error rate above
--   `spike_ratio` times the usual and above the usual by `spike_sigmas` standard errors
-- timeout_rate: share of requests that ran into a timeout
-- retry_rate: retries per request, of requests that say how often they were retried
-- external_api_latency_delta: relative; p95 of calls to external APIs where there are at least
--   `min_samples`, else the mean of role external_api_latency_ms, else p95 of fewer calls, else the
--   way of calls to the service: the caller's span less its own
-- database_latency_delta: relative; p95 of calls to databases where there are at least
--   `min_samples`, else the mean of role database_latency_ms, else p95 of fewer calls
-- cache_hit_rate_delta: difference of shares; role cache_hit_rate
--
-- A service that has none of its own of the last three has the median of its region's services,
-- where three at least have some: what fails for all of them is not the service's own doing.
--
-- Counts of changes and hyperparameter drift are NULL when no change at all was recorded from 7
-- days before the window to its end: then nobody records changes.
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
    select
        region,
        service,
        position,
        database_calls >= settings_detection.min_samples as has_database,
        external_calls >= settings_detection.min_samples as has_external,
        database_latency_delta,
        external_api_latency_delta
    from call_features
    cross join settings_detection
),

reached as (
    select region, service, position, way_delta
    from network_features
),

rewarded as (
    select region, service, position, reward_delta, queue_wait_p95
    from reward_features
),

changed as (
    select
        region,
        service,
        position,
        deployment_age_hours,
        config_change_count,
        dependency_change_count,
        hyperparameter_drift_score,
        policy_change_count
    from change_features
),

joined as (
    select
        intervals.region as region,
        intervals.service as service,
        intervals.window_start as window_start,
        intervals.window_end as window_end,
        rewarded.reward_delta as reward_delta,
        requested.latency_delta as latency_delta,
        requested.error_rate_delta as error_rate_delta,
        requested.throughput_delta as throughput_delta,
        coalesce(own.queue_depth_mean, regional.queue_depth_mean) as queue_depth_mean,
        coalesce(own.queue_depth_max, regional.queue_depth_max) as queue_depth_max,
        coalesce(
            requested.queue_wait_p95,
            own.queue_wait_p95,
            rewarded.queue_wait_p95,
            regional.queue_wait_p95
        ) as queue_wait_time_p95,
        coalesce(own.cpu_utilization_mean, regional.cpu_utilization_mean) as cpu_utilization_mean,
        coalesce(own.memory_utilization_mean, regional.memory_utilization_mean)
            as memory_utilization_mean,
        coalesce(own.disk_io_rate, regional.disk_io_rate) as disk_io_rate,
        changed.deployment_age_hours as deployment_age_hours,
        changed.config_change_count as config_change_count,
        changed.dependency_change_count as dependency_change_count,
        changed.hyperparameter_drift_score as hyperparameter_drift_score,
        changed.policy_change_count as policy_change_count,
        requested.error_spike_detected as error_spike_detected,
        requested.timeout_rate as timeout_rate,
        requested.retry_rate as retry_rate,
        coalesce(
            case when called.has_external then called.external_api_latency_delta end,
            own.external_api_latency_delta,
            called.external_api_latency_delta,
            reached.way_delta
        ) as own_external_delta,
        regional.external_api_latency_delta as regional_external_delta,
        coalesce(
            case when called.has_database then called.database_latency_delta end,
            own.database_latency_delta,
            called.database_latency_delta
        ) as own_database_delta,
        regional.database_latency_delta as regional_database_delta,
        own.cache_hit_rate_delta as own_cache_delta,
        regional.cache_hit_rate_delta as regional_cache_delta,
        intervals.position as position
    from feature_windows as intervals
    left join requested
        on intervals.region = requested.region
        and intervals.service = requested.service
        and intervals.position = requested.position
    left join measured as own
        on intervals.region = own.region
        and intervals.service = own.service
        and intervals.position = own.position
    left join (select * from measured where service is null) as regional
        on intervals.region = regional.region and intervals.position = regional.position
    left join called
        on intervals.region = called.region
        and intervals.service = called.service
        and intervals.position = called.position
    left join reached
        on intervals.region = reached.region
        and intervals.service = reached.service
        and intervals.position = reached.position
    left join rewarded
        on intervals.region = rewarded.region
        and intervals.service = rewarded.service
        and intervals.position = rewarded.position
    left join changed
        on intervals.region = changed.region
        and intervals.service = changed.service
        and intervals.position = changed.position
),

-- What the services of a region see in common; of two, one may be the only one that is at fault.
neighbours as (
    select
        joined.*,
        case
            when count(own_external_delta) over (partition by region, position) >= 3
                then median(own_external_delta) over (partition by region, position)
        end as common_external_delta,
        case
            when count(own_database_delta) over (partition by region, position) >= 3
                then median(own_database_delta) over (partition by region, position)
        end as common_database_delta,
        case
            when count(own_cache_delta) over (partition by region, position) >= 3
                then median(own_cache_delta) over (partition by region, position)
        end as common_cache_delta
    from joined
),

final as (
    select
        *,
        coalesce(own_external_delta, regional_external_delta, common_external_delta)
            as external_api_latency_delta,
        coalesce(own_database_delta, regional_database_delta, common_database_delta)
            as database_latency_delta,
        coalesce(own_cache_delta, regional_cache_delta, common_cache_delta)
            as cache_hit_rate_delta
    from neighbours
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
