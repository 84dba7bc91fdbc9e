-- title: What SLOs count, packed
-- grain: one row per stream and stretch of 144 slots that holds rows; one row without a stretch for
--   what is known from the baseline alone
-- materialized: run
-- audit: a slot is as long as the bucket of its scope, in microseconds: one minute or five;
--   `request_points` gives the slots of a stretch
-- audit: errors of evaluations are those that did not succeed
with
requests_by_slot as (
    select
        stream,
        bucket,
        case when minute >= $from then cast(minute as bigint) / bucket end as slot,
        requests,
        errors,
        durations,
        latency
    from slo_requests
),

evaluation_slots as (
    select
        streams.stream as stream,
        streams.bucket_seconds * 1000000 as bucket,
        case
            when evaluations.timestamp >= $from
                then cast(evaluations.timestamp as bigint) / (streams.bucket_seconds * 1000000)
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
    group by 1, 2, 3
),

slots as (
    select stream, bucket, slot, requests, errors, durations, latency from requests_by_slot
    union all
    select stream, bucket, slot, requests, errors, durations, latency from evaluation_slots
)

select
    stream,
    bucket,
    slot / 144 as stretch,
    request_series(slot, requests, errors, durations, latency) as counts
from slots
group by stream, bucket, slot / 144
