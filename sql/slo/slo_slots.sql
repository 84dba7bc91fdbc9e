-- title: What SLOs count, in slots of time
-- grain: one row per stream and slot that holds rows; one row without a slot for what is known from
--   the baseline alone
-- materialized: run
-- audit: a slot is as long as the bucket of its scope: one minute or five
-- audit: errors of evaluations are those that did not succeed
with
-- Slots that others read as well where they lie within the buckets, else minutes.
readable as (
    select
        streams.*,
        streams.bucket_seconds >= 300 or grain.seconds = 60 as reads_slots
    from slo_streams as streams
    cross join request_grain as grain
    where streams.source = 'requests'
),

requests as (
    select
        streams.stream as stream,
        streams.bucket_seconds * 1000000 as bucket,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        case when streams.reads_latency then parts.latency end as latency
    from readable as streams
    join service_slots as parts
        on streams.region = parts.region and streams.service = parts.service
    where streams.reads_slots and streams.route is null
    union all
    select
        streams.stream as stream,
        streams.bucket_seconds * 1000000 as bucket,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        case when streams.reads_latency then parts.latency end as latency
    from readable as streams
    join request_slots as parts
        on streams.region = parts.region and streams.service = parts.service
    where streams.reads_slots and streams.route = parts.route
    union all
    select
        streams.stream as stream,
        streams.bucket_seconds * 1000000 as bucket,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        case when streams.reads_latency then parts.latency end as latency
    from readable as streams
    join request_parts as parts
        on streams.region = parts.region and streams.service = parts.service
    where
        not streams.reads_slots
        and (streams.route is null or streams.route = parts.route)
    union all
    select
        streams.stream as stream,
        streams.bucket_seconds * 1000000 as bucket,
        selected.minute as minute,
        selected.requests as requests,
        selected.errors as errors,
        selected.durations as durations,
        selected.latency as latency
    from slo_streams as streams
    join slo_selected as selected
        on streams.scope = selected.slo
        and streams.region = selected.region
        and streams.service = selected.service
    where
        streams.source = 'selected'
        and (streams.route is null or streams.route = selected.route)
),

requests_by_slot as (
    select
        stream,
        case when minute >= $from then cast(minute as bigint) / bucket * bucket end as slot,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(durations) as durations,
        sketch_merge(case when minute >= $from then latency end) as latency
    from requests
    group by 1, 2
),

evaluation_slots as (
    select
        streams.stream as stream,
        case
            when evaluations.timestamp >= $from
                then cast(evaluations.timestamp as bigint) / (streams.bucket_seconds * 1000000)
                    * (streams.bucket_seconds * 1000000)
        end as slot,
        count(*) as requests,
        sum(case when evaluations.status = 'success' then 0 else 1 end) as errors,
        cast(0 as bigint) as durations,
        arrow_cast(null, 'Binary') as latency
    from slo_streams as streams
    join evaluations
        on streams.region = evaluations.region
        and streams.service = coalesce(evaluations.service, 'unknown')
        and (streams.agent_type is null or streams.agent_type = evaluations.agent_type)
    where
        streams.source = 'evaluations'
        and evaluations.status is not null
        and evaluations.timestamp >= least($from, $baseline_from)
        and evaluations.timestamp < $to
    group by 1, 2
),

final as (
    select stream, slot, requests, errors, durations, latency from requests_by_slot
    union all
    select stream, slot, requests, errors, durations, latency from evaluation_slots
)

select
    stream,
    arrow_cast(slot, 'Timestamp(Microsecond, Some("UTC"))') as slot,
    requests,
    errors,
    durations,
    latency
from final
