-- title: What SLOs count, in slots of time
-- grain: one row per scope, region, service and slot that holds rows; one row without a slot for
--   what is known from the baseline alone
-- materialized: run
-- audit: errors of evaluations are those that did not succeed
with
scopes as (
    select distinct
        scope,
        source,
        bucket_seconds * 1000000 as bucket,
        region,
        service,
        route,
        agent_type,
        reads_latency
    from slo_scopes
),

-- As coarse as the buckets allow: slots of services, slots of routes, or minutes.
readable as (
    select scopes.*, scopes.bucket >= grain.seconds * 1000000 as reads_slots
    from scopes
    cross join request_grain as grain
    where scopes.source = 'requests'
),

-- By name, so that nothing is read where no scope needs minutes.
minute_scopes as (
    select scopes.*, places.region as of_region, places.service as of_service
    from readable as scopes
    join request_signals as places
        on coalesce(scopes.region, places.region) = places.region
        and coalesce(scopes.service, places.service) = places.service
    where not scopes.reads_slots
),

scoped as (
    select
        scopes.scope as scope,
        scopes.bucket as bucket,
        scopes.reads_latency as reads_latency,
        requests.region as region,
        requests.service as service,
        requests.slot as time,
        requests.requests as requests,
        requests.errors as errors,
        requests.durations as durations,
        requests.latency as latency
    from readable as scopes
    join service_slots as requests
        on coalesce(scopes.region, requests.region) = requests.region
        and coalesce(scopes.service, requests.service) = requests.service
    where scopes.reads_slots and scopes.route is null
    union all
    select
        scopes.scope as scope,
        scopes.bucket as bucket,
        scopes.reads_latency as reads_latency,
        requests.region as region,
        requests.service as service,
        requests.slot as time,
        requests.requests as requests,
        requests.errors as errors,
        requests.durations as durations,
        requests.latency as latency
    from readable as scopes
    join request_slots as requests
        on scopes.route = requests.route
        and coalesce(scopes.region, requests.region) = requests.region
        and coalesce(scopes.service, requests.service) = requests.service
    where scopes.reads_slots
    union all
    select
        scopes.scope as scope,
        scopes.bucket as bucket,
        scopes.reads_latency as reads_latency,
        requests.region as region,
        requests.service as service,
        requests.minute as time,
        requests.requests as requests,
        requests.errors as errors,
        requests.durations as durations,
        requests.latency as latency
    from minute_scopes as scopes
    join request_parts as requests
        on scopes.of_region = requests.region
        and scopes.of_service = requests.service
        and (scopes.route is null or scopes.route = requests.route)
),

requests_by_slot as (
    select
        scope,
        region,
        service,
        case when time >= $from then cast(time as bigint) / bucket * bucket end as slot,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(durations) as durations,
        sketch_merge(case when reads_latency and time >= $from then latency end) as latency
    from scoped
    group by 1, 2, 3, 4
),

selected_slots as (
    select
        scopes.scope as scope,
        selected.region as region,
        selected.service as service,
        case
            when selected.minute >= $from
                then cast(selected.minute as bigint) / scopes.bucket * scopes.bucket
        end as slot,
        sum(selected.requests) as requests,
        sum(selected.errors) as errors,
        sum(selected.durations) as durations,
        sketch_merge(case when selected.minute >= $from then selected.latency end) as latency
    from scopes
    join slo_selected as selected on scopes.scope = selected.slo
    where
        scopes.source = 'selected'
        and coalesce(scopes.region, selected.region) = selected.region
        and coalesce(scopes.service, selected.service) = selected.service
        and (scopes.route is null or scopes.route = selected.route)
    group by 1, 2, 3, 4
),

evaluation_slots as (
    select
        scopes.scope as scope,
        evaluations.region as region,
        coalesce(evaluations.service, 'unknown') as service,
        case
            when evaluations.timestamp >= $from
                then cast(evaluations.timestamp as bigint) / scopes.bucket * scopes.bucket
        end as slot,
        count(*) as requests,
        sum(case when evaluations.status = 'success' then 0 else 1 end) as errors,
        cast(0 as bigint) as durations,
        sketch_merge(arrow_cast(null, 'Binary')) as latency
    from scopes
    join evaluations
        on coalesce(scopes.region, evaluations.region) = evaluations.region
        and (scopes.service is null or scopes.service = evaluations.service)
        and (scopes.agent_type is null or scopes.agent_type = evaluations.agent_type)
    where
        scopes.source = 'evaluations'
        and evaluations.status is not null
        and evaluations.timestamp >= least($from, $baseline_from)
        and evaluations.timestamp < $to
    group by 1, 2, 3, 4
),

final as (
    select * from requests_by_slot
    union all
    select * from selected_slots
    union all
    select * from evaluation_slots
)

select
    scope,
    region,
    service,
    arrow_cast(slot, 'Timestamp(Microsecond, Some("UTC"))') as slot,
    requests,
    errors,
    durations,
    latency
from final
