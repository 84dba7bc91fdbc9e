-- title: What SLOs count, in slots of time
-- grain: one row per stream and slot that holds rows
-- materialized: view
-- audit: a slot is as long as the bucket of its scope: one minute or five
with
points as (
    select stream, bucket, unnest(request_points(counts)) as point
    from slo_counts
    where counts is not null
)

select
    stream,
    arrow_cast(point['slot'] * bucket, 'Timestamp(Microsecond, Some("UTC"))') as slot,
    point['requests'] as requests,
    point['errors'] as errors,
    point['durations'] as durations,
    point['latency'] as latency
from points
