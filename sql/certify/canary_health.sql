-- title: What new versions did when they were new
-- grain: one row
-- materialized: once
-- audit: a canary's request is a log line of the environment `canary`, or of the version that a
--   recorded deployment brought to its region and service, for as long as the settings say, from
--   the minute of the deployment on
-- audit: the control is every other request of a service that has a canary
-- audit: requests, failures and durations are told as in the rollup of logs
-- audit: NULL where no canary served anything; no deployment is not a good canary
with
deployments as (
    select
        changes.region as region,
        changes.service as service,
        changes.version as version,
        min(cast(changes.timestamp as bigint)) / 60000000 * 60000000 as deployed_us,
        min(cast(changes.timestamp as bigint)) / 60000000 * 60000000
            + max(limits.canary_seconds) * 1000000 as settled_us
    from changes
    cross join settings_certification as limits
    where
        changes.kind = 'deployment'
        and changes.version is not null
        and cast(changes.timestamp as bigint)
        >= cast($from as bigint) - limits.canary_seconds * 1000000
        and changes.timestamp < $to
    group by changes.region, changes.service, changes.version
),

requests as (
    select
        cast(minute as bigint) as at_us,
        region,
        service,
        version,
        is_canary,
        requests,
        errors,
        latency
    from log_versions
    where minute >= $from and minute < $to
),

judged as (
    select
        requests.service as service,
        requests.requests as requests,
        requests.errors as errors,
        requests.latency as latency,
        requests.is_canary
        or coalesce(
            requests.at_us >= deployments.deployed_us
            and requests.at_us < deployments.settled_us,
            false
        ) as is_canary
    from requests
    left join deployments
        on requests.region = deployments.region
        and requests.service = deployments.service
        and requests.version = deployments.version
),

by_service as (
    select
        service,
        is_canary,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from judged
    group by service, is_canary
),

with_canary as (
    select service
    from by_service
    where is_canary
),

sides as (
    select
        by_service.is_canary as is_canary,
        count(*) as services,
        sum(by_service.requests) as requests,
        sum(by_service.errors) as errors,
        sketch_merge(by_service.latency) as latency
    from by_service
    join with_canary on by_service.service is not distinct from with_canary.service
    group by by_service.is_canary
),

final as (
    select
        max(case when is_canary then services end) as services,
        max(case when is_canary then requests end) as canary_requests,
        max(case when is_canary then errors end) as canary_errors,
        max(case when is_canary then errors / nullif(cast(requests as double), 0) end)
            as canary_error_rate,
        max(case when is_canary then (requests - errors) / nullif(cast(requests as double), 0) end)
            as canary_success_rate,
        max(case when is_canary then sketch_quantile(latency, 0.95) end) as canary_p95_ms,
        max(case when is_canary then sketch_quantile(latency, 0.99) end) as canary_p99_ms,
        max(case when not is_canary then requests end) as control_requests,
        max(case when not is_canary then errors / nullif(cast(requests as double), 0) end)
            as control_error_rate,
        max(case when not is_canary then sketch_quantile(latency, 0.95) end) as control_p95_ms
    from sides
)

select
    services,
    canary_requests,
    canary_errors,
    canary_error_rate,
    canary_success_rate,
    canary_p95_ms,
    canary_p99_ms,
    control_requests,
    control_error_rate,
    control_p95_ms
from final
